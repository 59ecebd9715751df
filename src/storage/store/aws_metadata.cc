#include "storage/store/aws_metadata.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "storage/store/http_client.h"

namespace anclora::storage {
namespace {

constexpr std::uint64_t kMaxAnswerBytes = 64 * kKiB;

HttpOptions metadata_options() {
  HttpOptions options;
  options.connect_timeout = std::chrono::seconds(1);
  options.total_timeout = std::chrono::seconds(2);
  options.stall_timeout = std::chrono::seconds(2);
  options.use_proxy = false;
  return options;
}

std::string text_of(const nlohmann::json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

Result<AwsCredentials> parse_credentials(const HttpResponse& response, const std::string& source) {
  if (response.status != 200) {
    return Error(ErrorKind::kUnavailable, fmt::format("{} answered {}", source, response.status));
  }
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  if (!json.is_object()) return Error(ErrorKind::kUnavailable, source + " did not answer with a JSON object");
  AwsCredentials out;
  out.access_key_id = text_of(json, "AccessKeyId");
  out.secret_access_key = Secret(text_of(json, "SecretAccessKey"));
  out.session_token = Secret(text_of(json, "Token"));
  out.source = source;
  if (out.access_key_id.empty() || out.secret_access_key.empty()) {
    return Error(ErrorKind::kUnavailable, source + " answered without a key pair");
  }
  if (const std::string expiration = text_of(json, "Expiration"); !expiration.empty()) {
    const auto time = parse_rfc3339(expiration);
    if (!time.has_value()) return time.error().with_context(source);
    out.expires = *time;
  }
  return out;
}

bool may_be_asked(const std::string& url) {
  if (url.starts_with("https://")) return true;
  constexpr std::string_view kHttp = "http://";
  if (!url.starts_with(kHttp)) return false;
  const std::string_view rest = std::string_view(url).substr(kHttp.size());
  const bool bracketed = rest.starts_with('[');
  const std::string_view host = rest.substr(0, bracketed ? rest.find(']') + 1 : rest.find_first_of(":/?"));
  const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || (host.starts_with("127.") && numeric) || host == "[::1]" || host == "169.254.170.2" ||
         host == "169.254.170.23" || host == "[fd00:ec2::23]";
}

Result<std::string> authorization_token(const Environment& environment, FileSystem& files) {
  std::string token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (const auto path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); path.has_value() && !path->empty()) {
    ASSIGN_OR_RETURN(token, files.read_all(*path, kMaxAnswerBytes));
    while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  }
  if (token.find_first_of("\r\n") != std::string::npos) {
    return Error(ErrorKind::kInvalidArgument, "the container authorization token has more than one line");
  }
  return token;
}

}  // namespace

Result<std::optional<AwsCredentials>> container_credentials(const Environment& environment, FileSystem& files) {
  const std::string relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").value_or("");
  const std::string full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI").value_or("");
  if (relative.empty() && full.empty()) return std::optional<AwsCredentials>();
  HttpRequest request;
  request.url = relative.empty() ? full : "http://169.254.170.2" + relative;
  request.response_limit_bytes = kMaxAnswerBytes;
  if (!may_be_asked(request.url)) {
    return Error(ErrorKind::kInvalidArgument,
                 fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI {} is neither https nor a local address", full));
  }
  ASSIGN_OR_RETURN(std::string token, authorization_token(environment, files));
  if (!token.empty()) request.headers.emplace_back("Authorization", std::move(token));
  HttpClient client(metadata_options());
  const auto response = client.send(request);
  if (!response.has_value()) return response.error().with_context("container credentials");
  ASSIGN_OR_RETURN(AwsCredentials credentials, parse_credentials(*response, "container credentials"));
  return std::optional<AwsCredentials>(std::move(credentials));
}

Result<std::optional<AwsCredentials>> instance_credentials(const Environment& environment) {
  if (environment("AWS_EC2_METADATA_DISABLED").value_or("") == "true") return std::optional<AwsCredentials>();
  std::string base = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or("http://169.254.169.254");
  while (base.ends_with('/')) base.pop_back();
  HttpClient client(metadata_options());
  const MemoryBody nothing{ByteView()};
  HttpRequest request;
  request.method = "PUT";
  request.url = base + "/latest/api/token";
  request.headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  request.body = &nothing;
  request.response_limit_bytes = kMaxAnswerBytes;
  const auto token = client.send(request);
  if (!token.has_value() || token->status != 200 || token->body.find_first_of("\r\n") != std::string::npos) {
    return std::optional<AwsCredentials>();  // not on such a machine
  }
  request.method = "GET";
  request.body = nullptr;
  request.headers = {{"x-aws-ec2-metadata-token", token->body}};
  request.url = base + "/latest/meta-data/iam/security-credentials/";
  ASSIGN_OR_RETURN(const HttpResponse roles, client.send(request));
  if (roles.status == 404) return std::optional<AwsCredentials>();
  const std::string role = roles.body.substr(0, roles.body.find_first_of("\r\n"));
  if (roles.status != 200 || role.empty()) {
    return Error(ErrorKind::kUnavailable, fmt::format("instance metadata: the role list answered {}", roles.status));
  }
  request.url += role;
  ASSIGN_OR_RETURN(const HttpResponse response, client.send(request));
  ASSIGN_OR_RETURN(AwsCredentials credentials, parse_credentials(response, "instance metadata"));
  return std::optional<AwsCredentials>(std::move(credentials));
}

}  // namespace anclora::storage

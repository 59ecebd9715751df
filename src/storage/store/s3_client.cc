#include "storage/store/s3_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "storage/store/object_name.h"
#include "storage/store/s3_error.h"
#include "storage/store/sigv4.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr Duration kLongestHold = std::chrono::seconds(20);
constexpr Duration kSlowDownHold = std::chrono::milliseconds(500);

bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 255 && name.front() != '.' && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == '_';
         });
}

bool is_region(std::string_view region) {
  return !region.empty() && region.size() <= 64 && std::ranges::all_of(region, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string amazon_endpoint(const std::string& region) {
  const std::string_view domain = region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return fmt::format("https://s3.{}.{}", region, domain);
}

}  // namespace

S3Client::S3Client(S3Options options, std::unique_ptr<AwsCredentialsProvider> credentials, Clock& clock)
    : options_(std::move(options)), credentials_(std::move(credentials)), clock_(clock), http_(options_.http) {}

Result<std::unique_ptr<S3Client>> S3Client::open(S3Options options, std::unique_ptr<AwsCredentialsProvider> credentials,
                                                 Clock& clock) {
  if (!is_bucket_name(options.bucket)) {
    return Error(ErrorKind::kInvalidArgument,
                 fmt::format("\"{}\" is not a bucket name", printable_name(options.bucket)),
                 "a bucket name has at least 3 letters, digits, dots or dashes: s3://bucket/prefix");
  }
  if (!options.prefix.empty()) RETURN_IF_ERROR(check_object_name(options.prefix));
  if (!is_region(options.region)) {
    return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is not a region", printable_name(options.region)),
                 "set AWS_REGION, for example to eu-central-1");
  }
  if (options.endpoint.empty()) options.endpoint = amazon_endpoint(options.region);
  std::unique_ptr<S3Client> client(new S3Client(std::move(options), std::move(credentials), clock));
  std::string_view rest = client->options_.endpoint;
  const bool https = rest.starts_with("https://");
  if (!https && !rest.starts_with("http://")) {
    return Error(ErrorKind::kInvalidArgument, fmt::format("the S3 endpoint \"{}\" is not a URL", printable_name(rest)),
                 "write it as https://host or http://host:port");
  }
  client->scheme_ = https ? "https://" : "http://";
  rest.remove_prefix(client->scheme_.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  client->host_ = rest.substr(0, slash);
  client->base_path_ = rest.substr(slash);
  const std::string_view own_port = https ? ":443" : ":80";
  if (client->host_.ends_with(own_port)) client->host_.resize(client->host_.size() - own_port.size());
  if (client->host_.empty() || rest.find_first_of("@?# \t\r\n") != std::string_view::npos) {
    return Error(ErrorKind::kInvalidArgument,
                 fmt::format("the S3 endpoint \"{}\" is malformed", printable_name(client->options_.endpoint)),
                 "write it as https://host or http://host:port, without a user, query or fragment");
  }
  // A certificate for *.endpoint does not cover a name with dots.
  const bool dotted = client->options_.bucket.find('.') != std::string::npos;
  if (!client->options_.path_style && !(https && dotted)) client->host_ = client->options_.bucket + "." + client->host_;
  if (client->options_.path_style || (https && dotted)) client->base_path_ += "/" + client->options_.bucket;
  return client;
}

std::string S3Client::describe() const {
  return "s3://" + options_.bucket + (options_.prefix.empty() ? "" : "/" + options_.prefix);
}

Result<HttpResponse> S3Client::send_once(const S3Request& request) {
  ASSIGN_OR_RETURN(const AwsCredentials credentials, credentials_->get());
  SigV4Request to_sign;
  to_sign.method = request.method;
  to_sign.path = base_path_ + "/" + request.key;
  to_sign.query = request.query;
  to_sign.headers = request.headers;
  to_sign.headers.emplace_back("host", host_);
  to_sign.payload_sha256_hex = request.body == nullptr ? std::string(kEmptySha256) : request.payload_sha256_hex;
  HttpRequest http;
  http.method = request.method;
  http.body = request.body;
  http.response_limit_bytes = request.response_limit_bytes;
  http.headers = sigv4_headers(to_sign, credentials, options_.region, "s3", clock_.wall_now());
  http.headers.insert(http.headers.end(), to_sign.headers.begin(), to_sign.headers.end());
  http.url = scheme_ + host_ + uri_encode(to_sign.path, true);
  if (!request.query.empty()) http.url += "?" + canonical_query(request.query);
  return http_.send(http);
}

void S3Client::hold_back(const HttpResponse& response) {
  if (response.status != 503 && response.status != 429) return;
  Duration hold = s3_error_code(response) == "SlowDown" ? kSlowDownHold : Duration::zero();
  const std::string& asked = response.header("retry-after");
  std::uint32_t seconds = 0;
  if (const auto [end, error] = std::from_chars(asked.data(), asked.data() + asked.size(), seconds);
      !asked.empty() && error == std::errc() && end == asked.data() + asked.size()) {
    hold = std::chrono::seconds(seconds);
  }
  const auto until = (clock_.mono_now() + std::min(hold, kLongestHold)).time_since_epoch().count();
  std::int64_t present = welcome_at_us_;
  while (present < until && !welcome_at_us_.compare_exchange_weak(present, until)) {
  }
}

void S3Client::wait_until_welcome() {
  const Duration wait = MonoTime(Duration(welcome_at_us_)) - clock_.mono_now();
  if (wait > Duration::zero()) clock_.sleep_for(std::min(wait, kLongestHold));
}

Result<HttpResponse> S3Client::send(const S3Request& request) {
  wait_until_welcome();
  auto response = send_once(request);
  if (!response.has_value()) return response;
  hold_back(*response);
  const std::string code = response->status == 400 || response->status == 403 ? s3_error_code(*response) : "";
  if (code != "ExpiredToken" && code != "TokenRefreshRequired") return response;
  credentials_->invalidate();
  return send_once(request);
}

}  // namespace anclora::storage

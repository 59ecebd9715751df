#include "storage/store/aws_credentials.h"

#include <fmt/format.h>

#include <cstdlib>

#include "storage/store/aws_metadata.h"
#include "storage/store/aws_profile.h"

namespace anclora::storage {
namespace {

constexpr Duration kRefreshBeforeExpiry = std::chrono::minutes(5);

std::string first_set(const Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto value = environment(name); value.has_value() && !value->empty()) return *value;
  }
  return "";
}

Result<std::optional<AwsCredentials>> environment_credentials(const Environment& environment) {
  AwsCredentials out;
  out.access_key_id = environment("AWS_ACCESS_KEY_ID").value_or("");
  out.secret_access_key = Secret(environment("AWS_SECRET_ACCESS_KEY").value_or(""));
  out.session_token = Secret(environment("AWS_SESSION_TOKEN").value_or(""));
  out.source = "environment";
  if (out.access_key_id.empty() && out.secret_access_key.empty()) return std::optional<AwsCredentials>();
  if (out.access_key_id.empty() || out.secret_access_key.empty()) {
    return Error(
        ErrorKind::kUnauthenticated,
        fmt::format("{} is set without {}", out.access_key_id.empty() ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
                    out.access_key_id.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"),
        "set both, or neither");
  }
  return std::optional<AwsCredentials>(std::move(out));
}

Result<std::optional<AwsCredentials>> profile_credentials(const Environment& environment, FileSystem& files) {
  ASSIGN_OR_RETURN(const AwsProfile profile, read_aws_profile(environment, files));
  AwsCredentials out;
  out.access_key_id = profile.setting("aws_access_key_id");
  out.secret_access_key = Secret(profile.setting("aws_secret_access_key"));
  out.session_token = Secret(profile.setting("aws_session_token"));
  out.source = fmt::format("profile {}", profile.name);
  if (!out.access_key_id.empty() && !out.secret_access_key.empty())
    return std::optional<AwsCredentials>(std::move(out));
  for (const char* way :
       {"role_arn", "sso_session", "sso_start_url", "credential_process", "web_identity_token_file"}) {
    if (profile.setting(way).empty()) continue;
    return Error(ErrorKind::kUnsupported,
                 fmt::format("profile {} gets its credentials by {}, which this version cannot do", profile.name, way),
                 "export them first: eval \"$(aws configure export-credentials --format env)\"");
  }
  if (!out.access_key_id.empty() || !out.secret_access_key.empty()) {
    return Error(ErrorKind::kUnauthenticated,
                 fmt::format("profile {} has only one of aws_access_key_id and aws_secret_access_key", profile.name));
  }
  return std::optional<AwsCredentials>();
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Result<AwsSettings> aws_settings(const Environment& environment, FileSystem& files) {
  ASSIGN_OR_RETURN(const AwsProfile profile, read_aws_profile(environment, files));
  AwsSettings out;
  out.profile = profile.name;
  out.region = first_set(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (out.region.empty()) out.region = profile.setting("region");
  const bool ignored = first_set(environment, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"}) == "true";
  if (!ignored) out.endpoint = first_set(environment, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  if (!ignored && out.endpoint.empty()) out.endpoint = profile.setting("endpoint_url");
  out.ca_file = first_set(environment, {"AWS_CA_BUNDLE"});
  if (out.ca_file.empty()) out.ca_file = profile.setting("ca_bundle");
  return out;
}

AwsCredentialsProvider::AwsCredentialsProvider(Environment environment, FileSystem& files, Clock& clock)
    : environment_(std::move(environment)), files_(files), clock_(clock) {}

Result<AwsCredentials> AwsCredentialsProvider::fetch() {
  ASSIGN_OR_RETURN(auto found, environment_credentials(environment_));
  if (found) return *found;
  ASSIGN_OR_RETURN(found, profile_credentials(environment_, files_));
  if (found) return *found;
  if (!first_set(environment_, {"AWS_WEB_IDENTITY_TOKEN_FILE"}).empty()) {
    return Error(ErrorKind::kUnsupported, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but web identity is not supported",
                 "use EKS pod identity, or export credentials: aws configure export-credentials --format env");
  }
  ASSIGN_OR_RETURN(found, container_credentials(environment_, files_));
  if (found) return *found;
  ASSIGN_OR_RETURN(found, instance_credentials(environment_));
  if (found) return *found;
  return Error(
      ErrorKind::kUnauthenticated,
      "no S3 credentials: looked at AWS_ACCESS_KEY_ID, the shared credentials and config files, the container's "
      "credentials and the instance metadata service",
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE");
}

Result<AwsCredentials> AwsCredentialsProvider::get() {
  const std::lock_guard lock(mutex_);
  const WallTime now = clock_.wall_now();
  if (cached_ && (!cached_->expires || now < *cached_->expires - kRefreshBeforeExpiry)) return *cached_;
  auto fetched = fetch();
  if (fetched.has_value()) {
    cached_ = *fetched;
    return fetched;
  }
  if (cached_ && cached_->expires && now < *cached_->expires) return *cached_;
  // They were there before, so a service that hands none out now is expected back.
  if (cached_ && fetched.error().kind() == ErrorKind::kUnauthenticated) {
    return Error(ErrorKind::kUnavailable,
                 fmt::format("the credentials ({}) expired and no new ones came", cached_->source));
  }
  return fetched;
}

void AwsCredentialsProvider::invalidate() {
  const std::lock_guard lock(mutex_);
  if (cached_) cached_->expires = WallTime();
}

}  // namespace anclora::storage

// Where S3 credentials and settings come from: the environment and the files that the AWS command line uses, then the
// container's and the machine's metadata services. Sources: the AWS SDK reference guide ("standardized credential
// providers", "shared config and credentials files"), IMDSv2 and ECS task credentials.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "base/secret.h"

namespace anclora::storage {

// A variable's value, or nothing when it is unset.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
// The process's own environment.
Environment process_environment();

struct AwsCredentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;             // empty: none
  std::optional<WallTime> expires;  // nothing: never
  std::string source;               // "environment", "profile prod in /root/.aws/credentials", ...: for messages
};

// Settings of the chosen profile (AWS_PROFILE, default "default") and the variables that override it.
struct AwsSettings {
  std::string profile;
  std::string region;    // AWS_REGION, AWS_DEFAULT_REGION, region of the profile; may be empty
  std::string endpoint;  // AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, endpoint_url of the profile; may be empty
  std::string ca_file;   // AWS_CA_BUNDLE, ca_bundle of the profile; may be empty
};
// kInvalidArgument when a file is malformed or AWS_PROFILE names a profile that neither file has.
Result<AwsSettings> aws_settings(const Environment& environment, FileSystem& files);

// Any thread. get() answers cached credentials, fetched anew five minutes before they expire; while a refresh fails,
// credentials that still live are used.
class AwsCredentialsProvider {
 public:
  AwsCredentialsProvider(Environment environment, FileSystem& files, Clock& clock);
  // kUnauthenticated, naming every place looked at, when there are none; kUnsupported for ways we lack (web identity,
  // SSO, assumed roles); kUnavailable when a metadata service fails.
  Result<AwsCredentials> get();
  // The server called them expired: the next get() fetches anew.
  void invalidate();

 private:
  Result<AwsCredentials> fetch();

  Environment environment_;
  FileSystem& files_;
  Clock& clock_;
  std::mutex mutex_;
  std::optional<AwsCredentials> cached_;
};

}  // namespace anclora::storage

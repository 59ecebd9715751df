// Signed requests to one bucket of one S3 endpoint.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/store/aws_credentials.h"
#include "storage/store/http_client.h"

namespace anclora::storage {

struct S3Options {
  std::string bucket;
  std::string prefix;    // an object name, or empty: the whole bucket
  std::string endpoint;  // "https://host[:port][/path]"; empty: Amazon's, for the region
  std::string region = "us-east-1";
  bool path_style = false;  // "endpoint/bucket/key" instead of "bucket.endpoint/key"
  HttpOptions http;
};

struct S3Request {
  std::string method;
  std::string key;                                              // within the bucket; empty: the bucket itself
  std::vector<std::pair<std::string, std::string>> query = {};  // not encoded
  HttpHeaders headers = {};                                     // all are signed
  const Body* body = nullptr;
  std::string payload_sha256_hex = {};  // of the body; may be empty without one
  std::uint64_t response_limit_bytes = 16 * kMiB;
};

// Any thread. A server that says "slow down" holds back every request of this client for the time it names (at most 20
// seconds), whoever makes it.
class S3Client {
 public:
  // kInvalidArgument for a malformed endpoint or bucket name.
  static Result<std::unique_ptr<S3Client>> open(S3Options options, std::unique_ptr<AwsCredentialsProvider> credentials,
                                                Clock& clock);
  // The server's answer, whatever its status; an error when there is none. Expired credentials are renewed once.
  Result<HttpResponse> send(const S3Request& request);
  const S3Options& options() const { return options_; }
  std::string describe() const;

 private:
  S3Client(S3Options options, std::unique_ptr<AwsCredentialsProvider> credentials, Clock& clock);
  Result<HttpResponse> send_once(const S3Request& request);
  void hold_back(const HttpResponse& response);
  void wait_until_welcome();

  S3Options options_;
  std::string scheme_;     // "https://"
  std::string host_;       // with a port that is not the scheme's own
  std::string base_path_;  // "" or "/path"
  std::unique_ptr<AwsCredentialsProvider> credentials_;
  Clock& clock_;
  HttpClient http_;
  std::atomic<std::int64_t> welcome_at_us_{0};  // MonoTime before which nothing is sent
};

}  // namespace anclora::storage

// AWS Signature Version 4 as S3 wants it (path encoded once, not normalised). Pure: the same input, the same signature.
// Source: "Signature Version 4 signing process" and "Authenticating Requests (AWS Signature Version 4)" in the Amazon
// S3 API reference; judged byte for byte by botocore's signer.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "storage/store/aws_credentials.h"

namespace anclora::storage {

struct SigV4Request {
  std::string method;
  std::string path;                                          // not encoded, begins with '/'
  std::vector<std::pair<std::string, std::string>> query;    // not encoded, any order
  std::vector<std::pair<std::string, std::string>> headers;  // all are signed; "host" must be among them
  std::string payload_sha256_hex;
};

// The headers to send besides `request.headers`: x-amz-date, x-amz-content-sha256, x-amz-security-token (when the
// credentials have one) and Authorization.
std::vector<std::pair<std::string, std::string>> sigv4_headers(const SigV4Request& request,
                                                               const AwsCredentials& credentials,
                                                               std::string_view region, std::string_view service,
                                                               WallTime now);

// Percent-encodes everything but letters, digits and -._~ (and '/' when told to keep it).
std::string uri_encode(std::string_view text, bool keep_slash);
// "a=1&b=": encoded and sorted, as it is signed and as it is to be sent.
std::string canonical_query(std::vector<std::pair<std::string, std::string>> query);

// SHA-256 and MD5, incremental.
class Digest {
 public:
  enum class Algorithm : std::uint8_t { kSha256, kMd5 };
  explicit Digest(Algorithm algorithm);
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void update(ByteView bytes);
  // The raw digest; once.
  Bytes finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};
Bytes sha256(ByteView bytes);
std::string base64(ByteView bytes);

}  // namespace anclora::storage

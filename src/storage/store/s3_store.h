// A Store in an S3 bucket. Relies on what every server has that honours `If-None-Match: *`: conditional PUT with
// Content-MD5 and a signed SHA-256, ranged GET, HEAD, DELETE, ListObjectsV2. No If-Match, no multipart, no copy.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "storage/store/s3_client.h"
#include "storage/store/store.h"

namespace anclora::storage {

// Any thread. Single attempts: RetryStore wraps it. A missing bucket is kFailedPrecondition, never "no such object".
class S3Store final : public Store {
 public:
  using AppendStore::put_if_absent;
  // kInvalidArgument for a malformed endpoint, region, bucket or prefix. Sends nothing. `clock` outlives it.
  static Result<std::unique_ptr<S3Store>> open(S3Options options, std::unique_ptr<AwsCredentialsProvider> credentials,
                                               Clock& clock);

  Result<Bytes> get(std::string_view name, std::uint64_t limit_bytes) override;
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override;
  Result<ObjectInfo> head(std::string_view name) override;
  Result<Listing> list(std::string_view prefix, bool delimited) override;
  // To the second: the Date of an answer.
  Result<WallTime> now() override;
  std::string describe() const override { return client_->describe(); }
  Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) override;
  Status remove(std::string_view name) override;

 private:
  S3Store(std::unique_ptr<S3Client> client, Clock& clock) : client_(std::move(client)), clock_(clock) {}
  std::string key_of(std::string_view name) const;
  Error refusal(const HttpResponse& response, std::string_view method, std::string_view name) const;
  Result<HttpResponse> send_head(std::string_view name);
  Error explain_head(const HttpResponse& response, std::string_view name);

  std::unique_ptr<S3Client> client_;
  Clock& clock_;
  std::atomic<bool> bucket_seen_{false};
};

}  // namespace anclora::storage

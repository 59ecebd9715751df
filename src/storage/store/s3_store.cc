#include "storage/store/s3_store.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/whole_number.h"
#include "storage/store/object_name.h"
#include "storage/store/s3_error.h"
#include "storage/store/s3_listing.h"
#include "storage/store/sigv4.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kHashChunkBytes = 1 * kMiB;
constexpr std::uint64_t kErrorBodyBytes = 64 * kKiB;
// A range beyond these is compared with the object's size first: a server would send all it has before we could tell.
constexpr std::uint64_t kUncheckedRangeBytes = 16 * kMiB;
constexpr std::uint64_t kUncheckedRangeEnd = std::uint64_t{1} << 50;
constexpr std::size_t kMaxPages = 10'000;

struct PayloadHashes {
  std::string sha256_hex;
  std::string md5_base64;
};

Result<PayloadHashes> hash_payload(const Body& body) {
  Digest sha(Digest::Algorithm::kSha256);
  Digest md5(Digest::Algorithm::kMd5);
  for (std::uint64_t offset = 0; offset < body.size_bytes();) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kHashChunkBytes, body.size_bytes() - offset));
    ASSIGN_OR_RETURN(const Bytes chunk, body.read(offset, size));
    sha.update(chunk);
    md5.update(chunk);
    offset += size;
  }
  return PayloadHashes{to_hex(ByteView(sha.finish())), base64(md5.finish())};
}

std::optional<WallTime> parse_http_date(const std::string& text) {
  const time_t seconds = text.empty() ? -1 : curl_getdate(text.c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return WallTime(std::chrono::seconds(seconds));
}

bool is_success(const HttpResponse& response) { return response.status >= 200 && response.status < 300; }

}  // namespace

Result<std::unique_ptr<S3Store>> S3Store::open(S3Options options, std::unique_ptr<AwsCredentialsProvider> credentials,
                                               Clock& clock) {
  ASSIGN_OR_RETURN(auto client, S3Client::open(std::move(options), std::move(credentials), clock));
  return std::unique_ptr<S3Store>(new S3Store(std::move(client), clock));
}

std::string S3Store::key_of(std::string_view name) const {
  const std::string& prefix = client_->options().prefix;
  return prefix.empty() ? std::string(name) : prefix + "/" + std::string(name);
}

Error S3Store::refusal(const HttpResponse& response, std::string_view method, std::string_view name) const {
  if (response.status == 404 && s3_error_code(response) != "NoSuchBucket") {
    return Error(ErrorKind::kNotFound, fmt::format("no object {} in {}", name, describe()));
  }
  return s3_error(response, describe(), fmt::format("{} {}", method, name), clock_.wall_now());
}

Result<Bytes> S3Store::get(std::string_view name, std::uint64_t limit_bytes) {
  RETURN_IF_ERROR(check_object_name(name));
  S3Request request{.method = "GET", .key = key_of(name)};
  request.response_limit_bytes = std::max(limit_bytes, kErrorBodyBytes);
  auto response = client_->send(request);
  if (!response.has_value()) return response.error().with_context(describe());
  if (response->status != 200) return refusal(*response, "GET", name);
  if (response->body.size() > limit_bytes) {
    return Error(ErrorKind::kResourceExhausted, fmt::format("object {} in {} has {} bytes, more than the limit of {}",
                                                            name, describe(), response->body.size(), limit_bytes));
  }
  bucket_seen_ = true;
  return std::move(response->body);
}

Result<Bytes> S3Store::get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) {
  RETURN_IF_ERROR(check_object_name(name));
  const auto too_short = [&](std::uint64_t there) {
    return Error(ErrorKind::kDataLoss, fmt::format("object {} in {}: {} bytes came where {} at {} were asked for", name,
                                                   describe(), there, size, offset));
  };
  if (size == 0 || size > kUncheckedRangeBytes || offset > kUncheckedRangeEnd) {
    ASSIGN_OR_RETURN(const ObjectInfo info, head(name));
    if (offset > info.size_bytes || size > info.size_bytes - offset) {
      return too_short(info.size_bytes - std::min(offset, info.size_bytes));
    }
    if (size == 0) return Bytes();
  }
  S3Request request{.method = "GET", .key = key_of(name)};
  request.headers = {{"range", fmt::format("bytes={}-{}", offset, offset + size - 1)}};
  request.response_limit_bytes = std::max(size, kErrorBodyBytes);
  auto response = client_->send(request);
  if (!response.has_value()) return response.error().with_context(describe());
  if (response->status == 416) return too_short(0);
  if (!is_success(*response)) return refusal(*response, "GET", name);
  const std::string expected = fmt::format("bytes {}-{}/", offset, offset + size - 1);
  const bool whole_object = response->status == 200 && offset == 0 && response->body.size() == size;
  if (response->status != 206 && !whole_object) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("{}: the server ignores Range (it answered {})", describe(), response->status));
  }
  const bool right_place = whole_object || response->header("content-range").starts_with(expected);
  if (response->body.size() != size || !right_place) return too_short(response->body.size());
  return std::move(response->body);
}

Result<HttpResponse> S3Store::send_head(std::string_view name) {
  auto response = client_->send({.method = "HEAD", .key = key_of(name)});
  if (!response.has_value()) return response.error().with_context(describe());
  return response;
}

// HEAD's refusals have no body: a GET of one byte tells a missing bucket from a missing object, and why access failed.
Error S3Store::explain_head(const HttpResponse& response, std::string_view name) {
  if (response.status == 404 && bucket_seen_) return refusal(response, "HEAD", name);
  const auto explained = client_->send({.method = "GET", .key = key_of(name), .headers = {{"range", "bytes=0-0"}}});
  if (!explained.has_value()) return explained.error().with_context(describe());
  if (s3_error_code(*explained) == "NoSuchKey") bucket_seen_ = true;
  if (is_success(*explained)) return refusal(response, "HEAD", name);
  return refusal(*explained, "GET", name);
}

Result<ObjectInfo> S3Store::head(std::string_view name) {
  RETURN_IF_ERROR(check_object_name(name));
  ASSIGN_OR_RETURN(const HttpResponse response, send_head(name));
  if (!is_success(response)) return explain_head(response, name);
  bucket_seen_ = true;
  const auto size = whole_number<std::uint64_t>(response.header("content-length"));
  const auto modified = parse_http_date(response.header("last-modified"));
  if (!size || !modified) {
    return Error(ErrorKind::kUnavailable,
                 fmt::format("{}: HEAD {} answered without a length and a modification time", describe(), name));
  }
  return ObjectInfo{std::string(name), *size, *modified};
}

Result<WallTime> S3Store::now() {
  ASSIGN_OR_RETURN(const HttpResponse response, send_head("config"));
  if (!is_success(response)) {
    const Error error = explain_head(response, "config");
    if (error.kind() != ErrorKind::kNotFound) return error;
  }
  const auto date = parse_http_date(response.header("date"));
  if (!date) return Error(ErrorKind::kUnavailable, fmt::format("{}: the server's answer has no Date", describe()));
  return *date;
}

Result<Listing> S3Store::list(std::string_view prefix, bool delimited) {
  RETURN_IF_ERROR(check_list_prefix(prefix));
  const std::string root = client_->options().prefix.empty() ? "" : client_->options().prefix + "/";
  S3ListingReader reader(root, std::string(prefix), delimited);
  for (std::size_t page = 0; page < kMaxPages; ++page) {
    S3Request request{.method = "GET", .key = "", .query = reader.next_query()};
    auto response = client_->send(request);
    if (!response.has_value()) return response.error().with_context(describe());
    if (response->status != 200) {
      return s3_error(*response, describe(), fmt::format("list {}", prefix), clock_.wall_now());
    }
    bucket_seen_ = true;
    const auto more = reader.take_page(response->body);
    if (!more.has_value()) return more.error().with_context(fmt::format("{}: list {}", describe(), prefix));
    if (!*more) return reader.take();
  }
  return Error(ErrorKind::kResourceExhausted,
               fmt::format("{}: list {} has more than {} pages", describe(), prefix, kMaxPages));
}

Result<PutOutcome> S3Store::put_if_absent(std::string_view name, const Body& body) {
  RETURN_IF_ERROR(check_object_name(name));
  ASSIGN_OR_RETURN(const PayloadHashes hashes, hash_payload(body));
  S3Request request{.method = "PUT", .key = key_of(name)};
  request.body = &body;
  request.payload_sha256_hex = hashes.sha256_hex;
  request.headers = {
      {"content-md5", hashes.md5_base64}, {"content-type", "application/octet-stream"}, {"if-none-match", "*"}};
  const auto response = client_->send(request);
  if (!response.has_value()) return response.error().with_context(describe());
  if (response->status == 412) return PutOutcome::kExists;
  if (!is_success(*response)) {
    if (response->status == 404) return s3_error(*response, describe(), fmt::format("PUT {}", name), clock_.wall_now());
    return refusal(*response, "PUT", name);
  }
  // A proxy's or a portal's page can be a success too; an S3 server names what it stored.
  if (response->header("etag").empty()) {
    return Error(ErrorKind::kUnavailable,
                 fmt::format("{}: PUT {} answered {} without an ETag", describe(), name, response->status),
                 "check that the endpoint is an S3 server");
  }
  bucket_seen_ = true;
  return PutOutcome::kCreated;
}

Status S3Store::remove(std::string_view name) {
  RETURN_IF_ERROR(check_object_name(name));
  auto response = client_->send({.method = "DELETE", .key = key_of(name)});
  if (!response.has_value()) return response.error().with_context(describe());
  if (is_success(*response)) return {};
  const Error error = refusal(*response, "DELETE", name);
  if (error.kind() == ErrorKind::kNotFound) return {};
  return error;
}

}  // namespace anclora::storage

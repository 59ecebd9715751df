// HTTP/1.1 requests with a deadline on every wait, over a pool of kept-alive libcurl handles.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "storage/store/store.h"

namespace anclora::storage {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};  // already encoded; sent as it is
  HttpHeaders headers = {};
  const Body* body = nullptr;  // streamed from here, with its length
  std::uint64_t response_limit_bytes = 1 * kMiB;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  Bytes body;
  std::optional<WallTime> certificate_expires;  // of the server's own certificate; nothing without TLS
  // The first value, or "".
  const std::string& header(const std::string& name) const;
};

struct HttpOptions {
  Duration connect_timeout = std::chrono::seconds(5);
  Duration total_timeout = std::chrono::seconds(30);    // of a request with a small body ...
  std::uint64_t slowest_bytes_per_second = 512 * kKiB;  // ... plus its body's (and its answer's limit's) time at this
  Duration stall_timeout = std::chrono::seconds(15);    // not a byte moved for this long: given up
  std::string ca_file;                                  // PEM; empty: the system's store
  // "address", "name", "address:port": connected to instead of the URL's host, without a proxy; the certificate must
  // still be of the URL's name. Empty: the URL's host.
  std::string connect_to = {};
  // A Unix socket to connect to instead of the URL's host, without a proxy. Empty: the URL's host.
  std::string socket_path = {};
  bool use_proxy = true;       // the usual proxy variables, never for loopback
  bool require_length = true;  // false: an answer may end with its connection
};

// Any thread. Redirects are not followed. Errors: kUnavailable (refused, cut, name unknown), kDeadlineExceeded,
// kUnauthenticated (certificate), kResourceExhausted (the answer exceeds its limit), kDataLoss (an answer whose end
// cannot be told from a cut), or the error of the body's read().
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  Result<HttpResponse> send(const HttpRequest& request);

 private:
  class Pool;
  HttpOptions options_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace anclora::storage

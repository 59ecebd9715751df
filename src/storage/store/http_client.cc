#include "storage/store/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>

#include "storage/store/http_transfer.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kMaxIdleHandles = 32;

bool initialise_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  return code == CURLE_OK;
}

}  // namespace

const std::string& HttpResponse::header(const std::string& name) const {
  static const std::string kNone;
  const auto at = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
  return at == headers.end() ? kNone : at->second;
}

class HttpClient::Pool {
 public:
  ~Pool() {
    for (CURL* handle : idle_) curl_easy_cleanup(handle);
  }
  CURL* take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return curl_easy_init();
    CURL* handle = idle_.back();
    idle_.pop_back();
    return handle;
  }
  void give_back(CURL* handle) {
    curl_easy_reset(handle);  // keeps the connection
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMaxIdleHandles) {
      idle_.push_back(handle);
    } else {
      curl_easy_cleanup(handle);
    }
  }

 private:
  std::mutex mutex_;
  std::vector<CURL*> idle_;
};

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)), pool_(std::make_unique<Pool>()) {}
HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
  if (!initialise_curl()) return Error(ErrorKind::kInternal, "libcurl could not be initialised");
  CURL* handle = pool_->take();
  if (handle == nullptr) return Error(ErrorKind::kResourceExhausted, "libcurl gave no handle");
  auto result = HttpTransfer(handle, options_, request).run();
  pool_->give_back(handle);
  return result;
}

}  // namespace anclora::storage

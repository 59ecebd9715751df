// One HTTP transfer on a libcurl handle: its options, its callbacks, and what its outcome means.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>

#include "storage/store/http_client.h"

namespace anclora::storage {

// One thread, one transfer. The request and the options outlive it. Leaves the handle with options
// that point into itself: reset the handle before it is used again.
class HttpTransfer {
 public:
  HttpTransfer(CURL* handle, const HttpOptions& options, const HttpRequest& request);
  Result<HttpResponse> run();

 private:
  struct SlistFree {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* user);
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* user);
  static std::size_t on_upload(char* out, std::size_t, std::size_t room, void* user);
  static int on_seek(void* user, curl_off_t offset, int origin);
  std::size_t take_header(std::string_view line, std::size_t size);
  void set_headers();
  void set_deadlines();
  void set_security();
  void set_connect_to();
  void set_method();
  bool end_is_certain() const;
  Result<HttpResponse> judge(CURLcode code);

  CURL* handle_;
  const HttpOptions& options_;
  const HttpRequest& request_;
  std::unique_ptr<curl_slist, SlistFree> headers_;
  std::unique_ptr<curl_slist, SlistFree> connect_to_;
  HttpResponse response_;
  std::uint64_t sent_ = 0;
  std::size_t header_bytes_ = 0;
  std::optional<Error> failure_;
  char detail_[CURL_ERROR_SIZE] = {};
};

}  // namespace anclora::storage

#include "storage/store/http_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace anclora::storage {
namespace {

constexpr std::size_t kMaxHeaders = 200;
constexpr std::size_t kMaxHeaderBytes = 64 * kKiB;

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

bool is_loopback(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::string_view rest = std::string_view(url).substr(scheme == std::string::npos ? 0 : scheme + 3);
  return rest.starts_with("127.") || rest.starts_with("localhost") || rest.starts_with("[::1]") ||
         rest.substr(0, rest.find_first_of(":/")).ends_with(".localhost");
}

ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorKind::kDeadlineExceeded;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
      return ErrorKind::kUnauthenticated;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ErrorKind::kInvalidArgument;
    case CURLE_OUT_OF_MEMORY:
      return ErrorKind::kResourceExhausted;
    default:
      return ErrorKind::kUnavailable;
  }
}

std::string hint_of(CURLcode code) {
  switch (kind_of(code)) {
    case ErrorKind::kUnauthenticated:
      return "check the endpoint's host name, or give the authority that signed its certificate as the CA file";
    case ErrorKind::kDeadlineExceeded:
    case ErrorKind::kUnavailable:
      return "check that the endpoint is right and can be reached from this machine";
    default:
      return "";
  }
}

// Scheme and host, for people: never what stands before an @, and nothing of a host whose port is no number (what looks
// like one is the password of a URL with a / in it).
std::string host_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  std::string host = url.substr(begin, std::min(url.find_first_of("/?#", begin), url.size()) - begin);
  host.erase(0, host.rfind('@') == std::string::npos ? 0 : host.rfind('@') + 1);
  const std::size_t port = host.rfind(':');
  const bool is_address = port == std::string::npos || host.ends_with(']') ||
                          host.find_first_not_of("0123456789", port + 1) == std::string::npos;
  return url.substr(0, begin) + (is_address ? host : "***");
}

// The first certificate is the server's own.
std::optional<WallTime> certificate_expiry(CURL* handle) {
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr || chain->num_of_certs < 1)
    return {};
  constexpr std::string_view kName = "Expire date:";
  for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    const std::string_view text(line->data);
    if (!text.starts_with(kName)) continue;
    const std::time_t seconds = curl_getdate(text.substr(kName.size()).data(), nullptr);
    if (seconds > 0) return WallTime(std::chrono::seconds(seconds));
  }
  return {};
}

long milliseconds(Duration duration) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

HttpTransfer::HttpTransfer(CURL* handle, const HttpOptions& options, const HttpRequest& request)
    : handle_(handle), options_(options), request_(request) {
  curl_easy_setopt(handle_, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, detail_);
  curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
  set_headers();
  set_security();
  set_connect_to();
  set_deadlines();
  set_method();
}

Result<HttpResponse> HttpTransfer::run() { return judge(curl_easy_perform(handle_)); }

std::size_t HttpTransfer::on_header(char* data, std::size_t, std::size_t size, void* user) {
  std::string_view line(data, size);
  while (line.ends_with('\n') || line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  return static_cast<HttpTransfer*>(user)->take_header(line, size);
}

std::size_t HttpTransfer::take_header(std::string_view line, std::size_t size) {
  if (line.starts_with("HTTP/")) {  // also after a 100, or when libcurl sent again
    response_ = HttpResponse{};
    header_bytes_ = 0;
    return size;
  }
  header_bytes_ += size;
  if (response_.headers.size() >= kMaxHeaders || header_bytes_ > kMaxHeaderBytes) {
    failure_ = Error(ErrorKind::kResourceExhausted, "the server's answer has too many headers");
    return 0;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  response_.headers.emplace_back(lower_case(line.substr(0, colon)), std::string(value));
  return size;
}

std::size_t HttpTransfer::on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& self = *static_cast<HttpTransfer*>(user);
  if (size > self.request_.response_limit_bytes - self.response_.body.size()) {
    self.failure_ = Error(ErrorKind::kResourceExhausted, fmt::format("the answer is larger than the limit of {} bytes",
                                                                     self.request_.response_limit_bytes));
    return 0;
  }
  self.response_.body.append(data, size);
  return size;
}

std::size_t HttpTransfer::on_upload(char* out, std::size_t, std::size_t room, void* user) {
  auto& self = *static_cast<HttpTransfer*>(user);
  const std::uint64_t left = self.request_.body->size_bytes() - self.sent_;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(room, left));
  if (size == 0) return 0;
  auto bytes = self.request_.body->read(self.sent_, size);
  if (!bytes.has_value()) {
    self.failure_ = bytes.error();
    return CURL_READFUNC_ABORT;
  }
  std::memcpy(out, bytes->data(), size);
  self.sent_ += size;
  return size;
}

// libcurl sends again by itself when a kept-alive connection turns out to be dead.
int HttpTransfer::on_seek(void* user, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_FAIL;
  static_cast<HttpTransfer*>(user)->sent_ = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

void HttpTransfer::set_headers() {
  const auto add = [&](const std::string& line) {
    curl_slist* grown = curl_slist_append(headers_.get(), line.c_str());
    if (grown != nullptr && headers_ == nullptr) headers_.reset(grown);
  };
  // A header with an empty value is sent only when it ends in a semicolon.
  for (const auto& [name, value] : request_.headers) add(value.empty() ? name + ";" : name + ": " + value);
  add("Expect:");
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers_.get());
}

void HttpTransfer::set_deadlines() {
  const std::uint64_t bytes =
      (request_.body == nullptr ? 0 : request_.body->size_bytes()) + request_.response_limit_bytes;
  const auto transfer = std::chrono::seconds(
      static_cast<std::int64_t>(std::min<std::uint64_t>(bytes / options_.slowest_bytes_per_second, 3600)));
  curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options_.connect_timeout));
  curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, milliseconds(options_.total_timeout + transfer));
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  const long stall = std::max(1L, milliseconds(options_.stall_timeout) / 1000);
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_TIME, stall);
}

void HttpTransfer::set_security() {
  curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(handle_, CURLOPT_TCP_NODELAY, 1L);
  if (!options_.ca_file.empty()) curl_easy_setopt(handle_, CURLOPT_CAINFO, options_.ca_file.c_str());
  curl_easy_setopt(handle_, CURLOPT_CERTINFO, 1L);
  if (!options_.socket_path.empty()) curl_easy_setopt(handle_, CURLOPT_UNIX_SOCKET_PATH, options_.socket_path.c_str());
  if (!options_.use_proxy || !options_.connect_to.empty() || !options_.socket_path.empty() || is_loopback(request_.url))
    curl_easy_setopt(handle_, CURLOPT_PROXY, "");
}

// "::address:port" is for every host and port of a URL; an empty port is the URL's own.
void HttpTransfer::set_connect_to() {
  if (options_.connect_to.empty()) return;
  std::string place = options_.connect_to;
  const bool bare_ipv6 = !place.starts_with('[') && std::ranges::count(place, ':') > 1;
  if (bare_ipv6) place = "[" + place + "]";
  const bool has_port = !place.ends_with(']') && place.find(':') != std::string::npos;
  connect_to_.reset(curl_slist_append(nullptr, ("::" + place + (has_port ? "" : ":")).c_str()));
  curl_easy_setopt(handle_, CURLOPT_CONNECT_TO, connect_to_.get());
}

void HttpTransfer::set_method() {
  if (request_.method == "HEAD") {
    curl_easy_setopt(handle_, CURLOPT_NOBODY, 1L);
  } else if (request_.body != nullptr) {
    curl_easy_setopt(handle_, CURLOPT_UPLOAD, 1L);
    if (request_.method != "PUT") curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    curl_easy_setopt(handle_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body->size_bytes()));
    curl_easy_setopt(handle_, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024L);
    curl_easy_setopt(handle_, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(handle_, CURLOPT_READDATA, this);
    curl_easy_setopt(handle_, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(handle_, CURLOPT_SEEKDATA, this);
  } else if (request_.method != "GET") {
    curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
}

// Without a length or chunks, the end of the connection ends the body, and a cut looks like an end.
bool HttpTransfer::end_is_certain() const {
  return request_.method == "HEAD" || response_.status == 204 || response_.status == 304 ||
         !response_.header("content-length").empty() || !response_.header("transfer-encoding").empty();
}

Result<HttpResponse> HttpTransfer::judge(CURLcode code) {
  const std::string where = fmt::format("{} {}", request_.method, host_of(request_.url));
  if (failure_) return failure_->with_context(where);
  if (code != CURLE_OK) {
    const std::string why = detail_[0] != '\0' ? detail_ : curl_easy_strerror(code);
    return Error(kind_of(code), fmt::format("{}: {}", where, why), hint_of(code));
  }
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  response_.certificate_expires = certificate_expiry(handle_);
  if (options_.require_length && !end_is_certain()) {
    return Error(ErrorKind::kDataLoss,
                 fmt::format("{}: the answer states no length, so a cut could not be seen", where));
  }
  return std::move(response_);
}

}  // namespace anclora::storage

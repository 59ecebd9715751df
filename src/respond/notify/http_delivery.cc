#include "respond/notify/http_delivery.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "storage/store/http_client.h"

namespace anclora::respond {
namespace {

constexpr Duration kLongestWait = std::chrono::hours(1);
constexpr std::uint64_t kLargestAnswer = 64 * kKiB;

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

Posted post_json(const Posting& posting, Clock& clock, MonoTime deadline) {
  const Duration left = std::max<Duration>(deadline - clock.mono_now(), std::chrono::milliseconds(1));
  storage::HttpOptions options;
  options.connect_timeout = std::min<Duration>(left, options.connect_timeout);
  options.total_timeout = left;
  options.stall_timeout = left;
  options.ca_file = posting.ca_file;
  options.require_length = false;
  const storage::MemoryBody body(posting.body);
  storage::HttpRequest request{.method = "POST",
                               .url = posting.url,
                               .headers = posting.headers,
                               .body = &body,
                               .response_limit_bytes = kLargestAnswer};
  request.headers.emplace_back("content-type", "application/json; charset=utf-8");
  request.headers.emplace_back("user-agent", "anclora-dr");
  auto response = storage::HttpClient(options).send(request);
  if (response) return {response->status, std::move(response->body), response->header("retry-after"), {}, false};
  const ErrorKind kind = response.error().kind();
  return {0,
          {},
          {},
          response.error().message(),
          kind == ErrorKind::kUnauthenticated || kind == ErrorKind::kInvalidArgument};
}

Attempt judge(const Posted& posted, WallTime now) {
  if (posted.status == 0) return {false, !posted.lasting, {}, posted.problem};
  if (posted.status / 100 == 2) return {true, false, {}, fmt::format("taken over with status {}", posted.status)};
  const bool passing = posted.status / 100 == 5 || posted.status == 408 || posted.status == 425 || posted.status == 429;
  Attempt attempt{false, passing, {}, fmt::format("status {}", posted.status)};
  if (passing) attempt.retry_after = parse_retry_after(posted.retry_after, now).value_or(Duration::zero());
  return attempt;
}

std::optional<Duration> parse_retry_after(std::string_view text, WallTime now) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.empty()) return {};
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (problem == std::errc{} && end == text.data() + text.size()) {
    if (seconds < 0) return {};
    return std::min<Duration>(std::chrono::seconds(std::min<std::int64_t>(seconds, 1'000'000)), kLongestWait);
  }
  const time_t date = curl_getdate(std::string(text).c_str(), nullptr);
  if (date < 0) return {};
  const Duration wait = WallTime(std::chrono::seconds(date)) - now;
  if (wait <= Duration::zero()) return {};
  return std::min(wait, kLongestWait);
}

Status check_http_url(std::string_view url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (scheme == 0 || url.size() == scheme || url[scheme] == '/' || has_control(url) ||
      url.find(' ') != std::string_view::npos)
    return Error(ErrorKind::kInvalidArgument, "it is no http:// or https:// URL");
  return {};
}

Status check_header_value(std::string_view value) {
  if (has_control(value)) return Error(ErrorKind::kInvalidArgument, "it holds a control character");
  return {};
}

}  // namespace anclora::respond

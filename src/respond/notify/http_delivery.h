// What the channels over HTTP share: one POST of JSON, and what its outcome means for another attempt.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "respond/notify/channel.h"

namespace anclora::respond {

struct Posting {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  // besides content-type
  std::string body;                                          // JSON
  std::string ca_file;                                       // PEM; "": the system's store
};

// An answer, or why there was none. Redirects are not followed.
struct Posted {
  int status = 0;  // 0: no answer
  std::string body;
  std::string retry_after;
  std::string problem;   // when there was no answer
  bool lasting = false;  // of the problem: another attempt fails in the same way (certificate, malformed URL)
};
Posted post_json(const Posting& posting, Clock& clock, MonoTime deadline);

// 2xx is accepted; 408, 425, 429, 5xx and no answer are worth another attempt; everything else is not.
Attempt judge(const Posted& posted, WallTime now);
// "120", or an HTTP date: how long from `now`; nothing when it is neither or lies behind. At most an hour.
std::optional<Duration> parse_retry_after(std::string_view text, WallTime now);
// kInvalidArgument, without the URL itself, unless it is http:// or https:// with a host and no control character.
Status check_http_url(std::string_view url);
// A header's value must hold no control character: kInvalidArgument.
Status check_header_value(std::string_view value);

}  // namespace anclora::respond

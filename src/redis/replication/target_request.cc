#include "redis/replication/target_request.h"

#include <algorithm>
#include <cctype>

#include "base/whole_number.h"

namespace anclora::redis {
namespace {

Error bad(std::string what) { return Error(ErrorKind::kInvalidArgument, "not a replica: " + std::move(what)); }

void upper(std::string& name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
}

}  // namespace

Result<std::optional<std::string>> TargetRequestParser::take_line(std::size_t& at) const {
  const std::size_t end = waiting_.find('\n', at);
  const std::size_t size = (end == Bytes::npos ? waiting_.size() : end) - at;
  if (size > kLineLimitBytes) return bad("a line of more than 1024 bytes");
  if (end == Bytes::npos) return std::nullopt;
  std::string line = waiting_.substr(at, size);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  at = end + 1;
  return std::optional<std::string>(std::move(line));
}

Result<std::optional<std::vector<std::string>>> TargetRequestParser::take_array() {
  std::size_t at = 1;
  ASSIGN_OR_RETURN(const auto count_line, take_line(at));
  if (!count_line) return std::nullopt;
  const auto count = whole_number<std::size_t>(*count_line);
  if (!count || *count == 0 || *count > kArgumentsLimit) return bad("a command of " + *count_line + " arguments");
  std::vector<std::string> words;
  while (words.size() < *count) {
    if (at >= waiting_.size()) return std::nullopt;
    if (waiting_[at] != '$') return bad("an argument that is no bulk string");
    ++at;
    ASSIGN_OR_RETURN(const auto size_line, take_line(at));
    if (!size_line) return std::nullopt;
    const auto size = whole_number<std::size_t>(*size_line);
    if (!size || *size > kArgumentLimitBytes) return bad("an argument of " + *size_line + " bytes");
    if (waiting_.size() - at < *size + 2) {
      if (waiting_.size() > kCommandLimitBytes) return bad("a command of more than 16384 bytes");
      return std::nullopt;
    }
    words.push_back(waiting_.substr(at, *size));
    at += *size;
    if (waiting_.compare(at, 2, "\r\n") != 0) return bad("an argument longer than it says");
    at += 2;
    if (at > kCommandLimitBytes) return bad("a command of more than 16384 bytes");
  }
  waiting_.erase(0, at);
  upper(words.front());
  return std::optional(std::move(words));
}

Result<std::optional<std::vector<std::string>>> TargetRequestParser::take_inline() {
  std::size_t at = 0;
  ASSIGN_OR_RETURN(const auto line, take_line(at));
  if (!line) return std::nullopt;
  waiting_.erase(0, at);
  std::vector<std::string> words;
  std::string_view rest = *line;
  while (!rest.empty()) {
    const std::size_t space = std::min(rest.find(' '), rest.size());
    if (space > 0) words.emplace_back(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
    if (words.size() > kArgumentsLimit) return bad("a line of more than 64 words");
  }
  if (words.empty()) words.emplace_back();
  upper(words.front());
  return std::optional(std::move(words));
}

Result<std::optional<std::vector<std::string>>> TargetRequestParser::next() {
  while (true) {
    const std::size_t begin = waiting_.find_first_not_of("\r\n");
    waiting_.erase(0, begin);
    if (waiting_.empty()) return std::nullopt;
    ASSIGN_OR_RETURN(auto words, waiting_.front() == '*' ? take_array() : take_inline());
    if (words && words->front().empty()) continue;
    return words;
  }
}

}  // namespace anclora::redis

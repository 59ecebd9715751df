#include "respond/bisect/moment_check.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/subprocess.h"
#include "redis/client/client.h"

namespace anclora::respond {
namespace {

constexpr std::string_view kRuleHint =
    "a rule is: PATTERN [type=hash] [at-least=N] [at-most=N] [keys=N] [tolerance=5%] [fields=a,b] "
    "[expiry=required|forbidden] [db=N]";

template <class T>
Status read_number(std::string_view word, std::string_view text, T& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code == std::errc() && end == text.data() + text.size() && !text.empty()) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" needs a number, not \"{}\"", word, text),
               std::string(kRuleHint));
}

template <class T>
Status read_optional(std::string_view word, std::string_view text, std::optional<T>& number) {
  number.emplace();
  return read_number(word, text, *number);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    if (const std::string_view part = text.substr(0, end); !part.empty()) parts.emplace_back(part);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

Status read_word(std::string_view name, std::string_view value, KeyspaceRule& rule) {
  if (name == "keys") return read_optional(name, value, rule.keys);
  if (name == "at-least") return read_optional(name, value, rule.at_least);
  if (name == "at-most") return read_optional(name, value, rule.at_most);
  if (name == "db") return read_number(name, value, rule.database);
  if (name == "tolerance")
    return read_number(name, value.ends_with('%') ? value.substr(0, value.size() - 1) : value, rule.tolerance_percent);
  if (name == "type") {
    rule.type = value;
    return {};
  }
  if (name == "fields") {
    rule.fields = split(value, ',');
    return {};
  }
  if (name == "expiry" && (value == "required" || value == "forbidden")) {
    rule.expiry = value == "required" ? Expiry::kRequired : Expiry::kForbidden;
    return {};
  }
  return Error(ErrorKind::kInvalidArgument, fmt::format("a rule knows no \"{}={}\"", name, value),
               std::string(kRuleHint));
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  const std::size_t start = text.rfind('\n');
  std::string line(start == std::string_view::npos ? text : text.substr(start + 1));
  constexpr std::size_t kLongest = 300;
  if (line.size() > kLongest) line.resize(kLongest);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return line;
}

std::vector<std::string> environment_for(const redis::RedisUrl& url) {
  const std::string& password = url.password.reveal();
  const bool socket = url.endpoint.host.starts_with('/');
  // The scratch server's password is random and lives as long as the check: only its child sees it.
  std::vector<std::string> environment = {
      fmt::format("ANCLORA_CHECK_URL={}://:{}@{}", socket ? "unix" : "redis", password, url.endpoint.to_string()),
      "REDISCLI_AUTH=" + password};
  if (socket) environment.push_back("ANCLORA_CHECK_SOCKET=" + url.endpoint.host);
  return environment;
}

Result<CheckAnswer> ask_program(const MomentCheck& check, const redis::RedisUrl& url, const std::string& work_directory,
                                FileSystem& files) {
  constexpr int kCannotTell = 125;
  const std::string output = work_directory + "/check-output";
  if (auto removed = files.remove(output); !removed.has_value() && removed.error().kind() != ErrorKind::kNotFound)
    return Error(std::move(removed).error());
  ASSIGN_OR_RETURN(const auto process, Subprocess::start({.argv = check.program,
                                                          .working_directory = {},
                                                          .output_file = output,
                                                          .environment = environment_for(url)}));
  const std::optional<int> status = process->wait(check.timeout);
  const auto written = files.read_all(output);
  const std::string said = written.has_value() ? last_line(*written) : std::string();
  if (!status)
    return Error(
        ErrorKind::kDeadlineExceeded,
        fmt::format("the check {} did not end within {}", check.program.front(), format_duration(check.timeout)),
        "give it more time with --check-timeout");
  if (*status >= kCannotTell)
    return Error(
        ErrorKind::kFailedPrecondition,
        fmt::format("the check {} {}: {}", check.program.front(),
                    *status == kCannotTell ? "cannot tell (exit 125)" : fmt::format("failed (exit {})", *status),
                    said.empty() ? "it said nothing" : said),
        "it must exit with 0 for good and 1 to 124 for bad; try it by hand against a restored server");
  return CheckAnswer{*status == 0 ? Judgement::kGood : Judgement::kBad,
                     said.empty() ? fmt::format("exit {}", *status) : said};
}

}  // namespace

Result<KeyspaceRule> parse_keyspace_rule(std::string_view text) {
  const std::vector<std::string> words = split(text, ' ');
  if (words.empty() || words.front().find('=') != std::string::npos)
    return Error(ErrorKind::kInvalidArgument, "a rule begins with the pattern of its keys", std::string(kRuleHint));
  KeyspaceRule rule;
  rule.id = rule.pattern = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string::npos)
      return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is no word=value", words[i]),
                   std::string(kRuleHint));
    RETURN_IF_ERROR(
        read_word(std::string_view(words[i]).substr(0, equals), std::string_view(words[i]).substr(equals + 1), rule));
  }
  const bool judges = rule.keys || rule.at_least || rule.at_most || !rule.type.empty() || !rule.fields.empty() ||
                      rule.expiry != Expiry::kAny;
  if (!judges)
    return Error(ErrorKind::kInvalidArgument, fmt::format("the rule \"{}\" asks for nothing", text),
                 std::string(kRuleHint));
  return rule;
}

Result<CheckAnswer> ask(const MomentCheck& check, redis::Client& client, const std::string& work_directory,
                        FileSystem& files, Clock& clock) {
  ASSIGN_OR_RETURN(const auto violations, check_keyspace(client, check.rules, clock, clock.mono_now() + check.timeout));
  if (!violations.empty()) return CheckAnswer{Judgement::kBad, violations.front().message};
  if (check.program.empty()) return CheckAnswer{Judgement::kGood, "all rules hold"};
  return ask_program(check, client.url(), work_directory, files);
}

}  // namespace anclora::respond

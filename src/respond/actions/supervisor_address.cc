#include "respond/actions/supervisor_address.h"

#include <fmt/format.h>

namespace anclora::respond {
namespace {

constexpr std::string_view kUnix = "unix://";
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kSpace = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Without a comment at its end: one begins with ';' or '#' after a space.
std::string_view without_comment(std::string_view value) {
  for (std::size_t at = 1; at < value.size(); ++at)
    if ((value[at] == ';' || value[at] == '#') && kSpace.contains(value[at - 1])) return trimmed(value.substr(0, at));
  return value;
}

using Environment = std::function<std::optional<std::string>(std::string_view)>;

Result<std::string> filled_in(std::string_view value, std::string_view here, const Environment& environment) {
  constexpr std::string_view kVariable = "ENV_";
  std::string out;
  while (!value.empty()) {
    const std::size_t percent = value.find('%');
    out += value.substr(0, percent);
    if (percent == std::string_view::npos) break;
    value.remove_prefix(percent);
    const std::size_t end = value.find(")s");
    if (value.starts_with("%%")) {
      out += '%';
      value.remove_prefix(2);
      continue;
    }
    if (!value.starts_with("%(") || end == std::string_view::npos)
      return Error(ErrorKind::kInvalidArgument, "a % that is neither %% nor %(NAME)s");
    const std::string_view name = value.substr(2, end - 2);
    std::optional<std::string> filling;
    if (name == "here") filling = std::string(here);
    if (name.starts_with(kVariable)) filling = environment(name.substr(kVariable.size()));
    if (!filling) return Error(ErrorKind::kInvalidArgument, fmt::format("%({})s has no value", name));
    out += *filling;
    value.remove_prefix(end + 2);
  }
  return out;
}

}  // namespace

std::string SupervisorAddress::socket() const {
  return server.starts_with(kUnix) ? server.substr(kUnix.size()) : std::string();
}

Result<SupervisorAddress> parse_supervisor_server(std::string_view server) {
  SupervisorAddress address;
  if (server.starts_with(kUnix) && server.substr(kUnix.size()).starts_with('/')) {
    address.server = server;
    return address;
  }
  if (server.starts_with(kHttp)) {
    std::string_view authority = server.substr(kHttp.size());
    authority = authority.substr(0, authority.find('/'));
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
      const std::string_view user = authority.substr(0, at);
      const std::size_t colon = user.find(':');
      address.user = user.substr(0, colon);
      if (colon != std::string_view::npos) address.password = Secret(std::string(user.substr(colon + 1)));
      authority.remove_prefix(at + 1);
    }
    if (!authority.empty()) {
      address.server = std::string(kHttp) + std::string(authority);
      return address;
    }
  }
  return Error(ErrorKind::kInvalidArgument, "supervisord's address is none", "unix:///path or http://host:port");
}

Result<SupervisorAddress> read_supervisor_address(std::string_view text, std::string_view here,
                                                  const Environment& environment) {
  SupervisorAddress address{"http://localhost:9001", {}, {}};
  bool ours = false;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    const std::string_view words = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (words.starts_with('[')) ours = words.starts_with("[supervisorctl]");
    const std::size_t sign = words.find_first_of("=:");
    if (!ours || words.starts_with(';') || words.starts_with('#') || sign == std::string_view::npos) continue;
    const std::string_view key = trimmed(words.substr(0, sign));
    if (key != "serverurl" && key != "username" && key != "password") continue;
    auto value = filled_in(without_comment(trimmed(words.substr(sign + 1))), here, environment);
    const std::string where = fmt::format("line {}, {}", line, key);
    if (!value) return value.error().with_context(where);
    if (key == "username") {
      address.user = std::move(*value);
    } else if (key == "password") {
      address.password = Secret(std::move(*value));
    } else {
      auto named = parse_supervisor_server(*value);
      if (!named) return named.error().with_context(where);
      address.server = std::move(named->server);
    }
  }
  return address;
}

}  // namespace anclora::respond

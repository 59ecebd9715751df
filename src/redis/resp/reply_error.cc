#include "redis/resp/reply_error.h"

#include <fmt/format.h>

#include <array>

namespace anclora::redis {
namespace {

struct Rule {
  std::string_view mark;  // of the start of the text, or of any place in it
  bool at_start;
  ErrorKind kind;
  std::string_view hint;
};

constexpr std::string_view kPasswordHint = "give the right user and password in the URL or from a password file";
constexpr std::array<Rule, 19> kRules = {{
    {"NOAUTH", true, ErrorKind::kUnauthenticated,
     "it asks for a password: give one in the URL or from a password file"},
    {"WRONGPASS", true, ErrorKind::kUnauthenticated, kPasswordHint},
    {"ERR invalid password", true, ErrorKind::kUnauthenticated, kPasswordHint},
    {"ERR operation not permitted", true, ErrorKind::kUnauthenticated, kPasswordHint},
    {"without any password configured", false, ErrorKind::kUnauthenticated,
     "this Redis has no password for that user: leave the password out of the URL"},
    {"but no password is set", false, ErrorKind::kUnauthenticated,
     "this Redis has no password: leave the password out of the URL"},
    {"NOPERM", true, ErrorKind::kPermissionDenied,
     "the ACL of this user lacks it: `anclora doctor URL`, as a user that may, prints the rule"},
    {"DENIED", true, ErrorKind::kPermissionDenied,
     "it runs in protected mode and answers its own machine only: set a password or a bind address there"},
    {"LOADING", true, ErrorKind::kUnavailable, "it is loading its dataset: try again when it is done"},
    {"MASTERDOWN", true, ErrorKind::kUnavailable, "this replica has lost its primary: use another node or try again"},
    {"NOMASTERLINK", true, ErrorKind::kUnavailable,
     "this replica is still syncing with its primary: use another node or try again"},
    {"BUSY ", true, ErrorKind::kUnavailable, "a script blocks it: try again"},
    {"CLUSTERDOWN", true, ErrorKind::kUnavailable, "the cluster is down: try again"},
    {"TRYAGAIN", true, ErrorKind::kUnavailable, "try again"},
    {"max number of clients", false, ErrorKind::kUnavailable, "raise maxclients, or try again"},
    {"OOM", true, ErrorKind::kResourceExhausted, "it is out of memory: raise maxmemory"},
    {"ERR unknown command", true, ErrorKind::kUnsupported, "the command is missing, renamed or disabled there"},
    {"ERR unknown subcommand", true, ErrorKind::kUnsupported, "its version lacks this subcommand"},
    {"ERR Unknown subcommand", true, ErrorKind::kUnsupported, "its version lacks this subcommand"},
}};

std::string_view looks_like(ByteView bytes) {
  if (bytes.starts_with("HTTP/") || bytes.starts_with("<")) return "an HTTP server";
  if (bytes.starts_with("SSH-")) return "an SSH server";
  if (bytes.starts_with("220")) return "a mail or FTP server";
  if (bytes.starts_with("AMQP")) return "a RabbitMQ server";
  return "a service of another kind";
}

}  // namespace

Error error_of_reply(std::string_view text, std::string_view what) {
  constexpr std::size_t kLongest = 300;
  const std::string message = fmt::format("{} was refused: {}", what, text.substr(0, kLongest));
  for (const Rule& rule : kRules) {
    if (rule.at_start ? text.starts_with(rule.mark) : text.find(rule.mark) != std::string_view::npos) {
      return Error(rule.kind, message, std::string(rule.hint));
    }
  }
  return Error(ErrorKind::kFailedPrecondition, message);
}

Error error_of_foreign_bytes(ByteView first_bytes) {
  const bool tls =
      first_bytes.size() >= 2 && (first_bytes[0] == '\x15' || first_bytes[0] == '\x16') && first_bytes[1] == '\x03';
  if (tls) {
    return Error(ErrorKind::kFailedPrecondition, "this port speaks TLS, not plain Redis", "use rediss:// in the URL");
  }
  return Error(ErrorKind::kFailedPrecondition,
               fmt::format("this is not a Redis: the answer looks like {}", looks_like(first_bytes)),
               "check the host and the port");
}

}  // namespace anclora::redis

#include "redis/scratch/replication_errors.h"

namespace anclora::redis {
namespace {

// "== CRITICAL == This replica is sending an error to its master: '...' after processing the command 'get'"
constexpr std::string_view kBegins = "is sending an error to its ";
constexpr std::string_view kQuote = ": '";
constexpr std::size_t kLongest = 100;

}  // namespace

std::optional<std::string> first_replication_error(std::string_view log) {
  std::size_t at = log.find(kBegins);
  if (at == std::string_view::npos) return std::nullopt;
  at = log.find(kQuote, at);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view error = log.substr(at + kQuote.size());
  error = error.substr(0, error.find('\n'));
  error = error.substr(0, error.find("' after processing the command"));
  // Behind it stand keys and values.
  error = error.substr(0, error.find(", with args"));
  // Some versions quote the reply whole.
  if (error.starts_with('-')) error.remove_prefix(1);
  if (error.starts_with("ERR ")) error.remove_prefix(4);
  while (error.ends_with('\r') || error.ends_with(' ')) error.remove_suffix(1);
  return std::string(error.substr(0, kLongest));
}

}  // namespace anclora::redis

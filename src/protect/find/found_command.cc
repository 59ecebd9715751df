#include "protect/find/found_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace anclora::protect {

std::string escape_argument(std::string_view bytes, std::uint64_t length, std::size_t limit) {
  std::string escaped;
  bool quote = bytes.empty();
  const std::string_view shown = bytes.substr(0, limit);
  for (const char byte : shown) {
    const auto value = static_cast<unsigned char>(byte);
    if (byte == '"' || byte == '\\') {
      quote = true;
      escaped += '\\';
      escaped += byte;
    } else if (value < 0x20 || value >= 0x7f) {
      quote = true;
      escaped += fmt::format("\\x{:02x}", value);
    } else {
      quote |= byte == ' ' || byte == '\'';
      escaped += byte;
    }
  }
  if (quote) escaped = "\"" + escaped + "\"";
  if (length > shown.size()) escaped += fmt::format("...({} bytes)", length);
  return escaped;
}

std::string to_text(const FoundCommand& found) {
  return fmt::format("{}  {}  db{}  {}{}\n    {}\n", storage::to_string(found.position), format_rfc3339(found.time),
                     found.database, found.command,
                     found.keys > 1 ? fmt::format("  ({} keys)", found.keys) : std::string(), found.restore);
}

std::string to_json(const FoundCommand& found) {
  const nlohmann::json json = {{"position", storage::to_string(found.position)},
                               {"before", storage::to_string(found.restore_before)},
                               {"time", format_rfc3339(found.time)},
                               {"database", found.database},
                               {"kind", found.kind},
                               {"command", found.command},
                               {"keys", found.keys},
                               {"restore", found.restore}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace anclora::protect

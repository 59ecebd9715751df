#include "respond/notify/message.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace anclora::respond {
namespace {

// How many bytes the UTF-8 character at `at` has; 0 when there is none.
std::size_t character_size(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t size = first < 0x80                    ? 1
                           : first >= 0xc2 && first < 0xe0 ? 2
                           : first >= 0xe0 && first < 0xf0 ? 3
                           : first >= 0xf0 && first < 0xf5 ? 4
                                                           : 0;
  if (size == 0 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
  const auto second = size > 1 ? static_cast<unsigned char>(text[at + 1]) : 0;
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool no_scalar = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return overlong || no_scalar ? 0 : size;
}

std::string clean(std::string_view text, bool keep_lines, std::size_t most_bytes) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text, at);
    std::string_view piece = size == 0 ? std::string_view("?") : text.substr(at, size);
    const char c = piece.front();
    if (size == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) && !(keep_lines && c == '\n')) piece = " ";
    // U+0080 to U+009F are control characters of terminals too.
    if (size == 2 && c == '\xc2' && static_cast<unsigned char>(piece[1]) < 0xa0) piece = " ";
    if (out.size() + piece.size() > most_bytes) break;
    out += piece;
    at += std::max<std::size_t>(size, 1);
  }
  return out;
}

constexpr std::size_t kLargestText = 16 * 1024;

std::string cleaned(std::string_view text) { return clean(text, true, kLargestText); }

}  // namespace

std::string_view to_string(MessageKind kind) {
  switch (kind) {
    case MessageKind::kAlert:
      return "alert";
    case MessageKind::kUpdate:
      return "update";
    case MessageKind::kAcknowledged:
      return "acknowledged";
    case MessageKind::kResolved:
      return "resolved";
    case MessageKind::kTest:
      break;
  }
  return "test";
}

std::string_view to_string(Urgency urgency) {
  switch (urgency) {
    case Urgency::kCritical:
      return "critical";
    case Urgency::kError:
      return "error";
    case Urgency::kWarning:
      return "warning";
    case Urgency::kInfo:
      break;
  }
  return "info";
}

Urgency urgency_of(std::string_view severity) {
  if (severity == "critical") return Urgency::kCritical;
  if (severity == "high") return Urgency::kError;
  return severity == "medium" ? Urgency::kWarning : Urgency::kInfo;
}

std::string_view to_string(DeliveryState state) {
  switch (state) {
    case DeliveryState::kSent:
      return "sent";
    case DeliveryState::kFailed:
      return "failed";
    case DeliveryState::kLimited:
      return "limited";
    case DeliveryState::kSkipped:
      break;
  }
  return "skipped";
}

std::string one_line(std::string_view text, std::size_t most_bytes) { return clean(text, false, most_bytes); }

std::string plain_text(const Message& message) {
  std::string out = one_line(message.subject, 1024) + "\n";
  if (!message.text.empty()) out += "\n" + cleaned(message.text) + "\n";
  std::string about;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) about += std::string(name) + ": " + one_line(value, 1024) + "\n";
  };
  add("Service", message.service);
  add("Incident", message.incident);
  add("Run", message.run);
  if (message.at != WallTime{}) add("Time", format_rfc3339(message.at));
  add("Acknowledge", message.acknowledge);
  return about.empty() ? out : out + "\n" + about;
}

std::string to_json(const Message& message) {
  const nlohmann::json json = {{"kind", to_string(message.kind)},
                               {"urgency", to_string(message.urgency)},
                               {"service", one_line(message.service, 1024)},
                               {"subject", one_line(message.subject, 1024)},
                               {"text", cleaned(message.text)},
                               {"incident", one_line(message.incident, 1024)},
                               {"run", one_line(message.run, 1024)},
                               {"acknowledge", one_line(message.acknowledge, 1024)},
                               {"dedup_key", one_line(message.dedup_key, 1024)},
                               {"at", format_rfc3339(message.at)}};
  return json.dump();
}

}  // namespace anclora::respond

#include "respond/notify/mail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/bytes.h"

namespace anclora::respond {
namespace {

constexpr std::size_t kLongestSubject = 200;
constexpr std::size_t kLongestAddress = 254;
constexpr std::size_t kWordBytes = 45;  // an encoded word is at most 75 characters
constexpr std::size_t kLineLength = 76;

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    const std::size_t size = std::min<std::size_t>(3, text.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < size ? static_cast<unsigned char>(text[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out += i <= size ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

std::string quoted_printable_line(std::string_view line) {
  std::string out, current;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const auto c = static_cast<unsigned char>(line[at]);
    const bool ends_in_space = c == ' ' && at + 1 == line.size();
    const std::string piece =
        c >= 0x20 && c < 0x7f && c != '=' && !ends_in_space ? std::string(1, line[at]) : fmt::format("={:02X}", c);
    if (current.size() + piece.size() >= kLineLength) {
      out += current + "=\r\n";
      current.clear();
    }
    current += piece;
  }
  return out + current + "\r\n";
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += quoted_printable_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// "Tue, 24 Nov 2026 19:43:51 +0000": in English whatever the locale.
std::string mail_date(WallTime time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", kDays[static_cast<std::size_t>(parts.tm_wday)],
                     parts.tm_mday, kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string short_hash(std::string_view text) { return to_hex(hash256(text)).substr(0, 32); }

}  // namespace

Status check_mail_address(std::string_view address) {
  const std::size_t at = address.find('@');
  const bool printable = std::ranges::all_of(address, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (at == 0 || at == std::string_view::npos || at + 1 == address.size() || address.rfind('@') != at || !printable ||
      address.find_first_of("<>()[],;:\\\"") != std::string_view::npos || address.size() > kLongestAddress)
    return Error(ErrorKind::kInvalidArgument, "it is no e-mail address", "write name@host, in ASCII, one address");
  return {};
}

std::string encode_header(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7f; }) &&
                     text.find("=?") == std::string_view::npos;
  if (plain) return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min(kWordBytes, text.size());
    while (size > 1 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + base64(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

std::string make_mail(const Message& message, const MailAddresses& addresses, WallTime now) {
  const std::string text = plain_text(message);
  const std::string id =
      short_hash(fmt::format("{}\n{}\n{}\n{}", message.dedup_key, to_string(message.kind), addresses.to, text));
  std::string mail;
  const auto add = [&](const char* name, const std::string& value) { mail += fmt::format("{}: {}\r\n", name, value); };
  add("Date", mail_date(now));
  add("From", "Anclora DR <" + addresses.from + ">");
  add("To", "<" + addresses.to + ">");
  add("Subject", encode_header(one_line(message.subject, kLongestSubject)));
  add("Message-ID", fmt::format("<{}@{}>", id, addresses.host));
  if (!message.dedup_key.empty())
    add("References", fmt::format("<{}@{}>", short_hash("thread " + message.dedup_key), addresses.host));
  add("MIME-Version", "1.0");
  add("Content-Type", "text/plain; charset=utf-8");
  add("Content-Transfer-Encoding", "quoted-printable");
  add("Auto-Submitted", "auto-generated");
  if (message.urgency == Urgency::kCritical || message.urgency == Urgency::kError) add("Importance", "high");
  return mail + "\r\n" + quoted_printable(text);
}

}  // namespace anclora::respond

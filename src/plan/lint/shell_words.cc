#include "plan/lint/shell_words.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace anclora::plan {
namespace {

std::string lower(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return low;
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_shell(std::string_view program) {
  constexpr std::array<std::string_view, 9> kShells = {"sh",  "bash", "dash",    "zsh", "ksh",
                                                       "ash", "fish", "busybox", "eval"};
  return std::ranges::find(kShells, base_name(program)) != kShells.end();
}

// Generic top-level domains that services and people use; country codes have two letters.
constexpr std::array<std::string_view, 58> kTlds = {
    "com",       "net",     "org",     "edu",        "gov",         "mil",        "int",      "info",    "biz",
    "name",      "pro",     "mobi",    "cat",        "coop",        "aero",       "jobs",     "travel",  "tel",
    "asia",      "post",    "app",     "dev",        "cloud",       "online",     "site",     "shop",    "store",
    "tech",      "xyz",     "email",   "support",    "agency",      "digital",    "software", "systems", "services",
    "solutions", "network", "team",    "work",       "works",       "world",      "zone",     "page",    "blog",
    "media",     "group",   "company", "technology", "engineering", "consulting", "global",   "social",  "chat",
    "health",    "bank",    "one",     "eus"};

}  // namespace

bool runs_a_shell(const Value& argv) {
  for (const Value& item : argv.items) {
    if (is_shell(item.text)) return true;
    const std::string_view name = base_name(item.text);
    if (name != "env" && name != "sudo" && name != "nice" && name != "timeout" && name != "nohup" &&
        name.find('=') == std::string_view::npos && !name.starts_with('-'))
      break;
  }
  return std::ranges::any_of(argv.items, [](const Value& item) {
    return item.text == "|" || item.text == "&&" || item.text == "||" || item.text == ">" || item.text == ";" ||
           item.text.find("$(") != std::string::npos || item.text.find('`') != std::string::npos;
  });
}

bool is_placeholder(std::string_view text) {
  const std::string low = lower(text);
  if (low.find("xxx") != std::string::npos) return true;
  for (const std::string_view word :
       {"tbd", "todo", "fixme", "changeme", "change-me", "placeholder", "your-", "n/a", "unknown", "???"})
    if (low == word || (word.size() > 4 && low.find(word) != std::string::npos)) return true;
  const bool in_brackets =
      (text.starts_with('[') && text.ends_with(']')) || (text.starts_with('<') && text.ends_with('>'));
  if (in_brackets) return true;
  // A number of which every digit is the same, or none is there at all.
  std::string digits;
  for (const char c : text)
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) digits.push_back(c);
  return text.starts_with('+') &&
         (digits.size() < 5 || std::ranges::all_of(digits, [&](char c) { return c == digits.front(); }));
}

bool looks_like_secret(std::string_view text) {
  if (text.starts_with("env:") || text.starts_with("file:/")) return false;
  for (const std::string_view start : {"AKIA", "ASIA"})
    if (text.starts_with(start) && text.size() == 20) return true;
  for (const std::string_view start : {"ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "sk_live_", "glpat-", "AIza"})
    if (text.starts_with(start) && text.size() > start.size() + 8) return true;
  if (text.find("PRIVATE KEY-----") != std::string_view::npos) return true;
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = text.substr(scheme + 3, text.find_first_of("/?#", scheme + 3) - scheme - 3);
  const auto at = rest.rfind('@');
  const auto colon = rest.find(':');
  return at != std::string_view::npos && colon != std::string_view::npos && colon + 1 < at;
}

std::string host_of(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) text = text.substr(scheme + 3);
  text = text.substr(0, text.find_first_of("/?# "));
  if (const auto at = text.rfind('@'); at != std::string_view::npos) text = text.substr(at + 1);
  text = text.substr(0, text.find(':'));
  while (text.ends_with('.')) text.remove_suffix(1);
  return text.find('.') == std::string_view::npos ? std::string() : lower(text);
}

bool is_reserved_domain(std::string_view host) {
  for (const std::string_view end : {"example.com", "example.org", "example.net", "example.edu"})
    if (host == end || host.ends_with("." + std::string(end))) return true;
  for (const std::string_view end : {".example", ".test", ".invalid", ".localhost", ".local"})
    if (host.ends_with(end)) return true;
  return false;
}

bool has_known_tld(std::string_view host) {
  const auto dot = host.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view last = host.substr(dot + 1);
  if (!last.empty() && std::ranges::all_of(last, [](unsigned char c) { return std::isdigit(c) != 0; }))
    return true;  // an address
  return last.size() == 2 || last.starts_with("xn--") || std::ranges::find(kTlds, last) != kTlds.end();
}

bool looks_like_email(std::string_view text) {
  const auto at = text.find('@');
  return at != std::string_view::npos && at > 0 && text.find(' ') == std::string_view::npos &&
         text.find("://") == std::string_view::npos && !host_of(text).empty();
}

}  // namespace anclora::plan

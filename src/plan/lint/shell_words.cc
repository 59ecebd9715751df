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

// Runs what stands behind it; so do its options, numbers and assignments ("timeout 5", "env A=b").
bool hands_on(std::string_view word) {
  constexpr std::array<std::string_view, 11> kHandingOn = {"env",    "sudo",   "nice",   "timeout", "nohup", "xargs",
                                                           "setsid", "stdbuf", "ionice", "doas",    "time"};
  return std::ranges::find(kHandingOn, base_name(word)) != kHandingOn.end() ||
         word.find('=') != std::string_view::npos || word.starts_with('-') ||
         (!word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0);
}

bool is_interpreter(std::string_view word) {
  constexpr std::array<std::string_view, 7> kInterpreters = {"python", "perl", "ruby", "node", "php", "lua", "su"};
  const std::string_view name = base_name(word);
  return std::ranges::any_of(kInterpreters, [&](std::string_view known) {
    return name.starts_with(known) && name.find_first_not_of("0123456789.", known.size()) == std::string_view::npos;
  });
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
    if (!hands_on(item.text)) break;
  }
  return std::ranges::any_of(argv.items, [](const Value& item) {
    return item.text == "|" || item.text == "&&" || item.text == "||" || item.text == ">" || item.text == ";" ||
           item.text.find("$(") != std::string::npos || item.text.find('`') != std::string::npos;
  });
}

bool allows_any_program(const Value& argv) {
  const auto named = std::ranges::find_if_not(argv.items, [](const Value& item) { return hands_on(item.text); });
  if (named == argv.items.end()) return true;
  return is_interpreter(named->text) &&
         std::all_of(named + 1, argv.items.end(), [](const Value& item) { return item.text.starts_with('-'); });
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

// "--password=x", "redis://host?password=x", "api_key=x".
bool gives_a_password(std::string_view text) {
  const std::string low = lower(text);
  for (const std::string_view name :
       {"password=", "passwd=", "passphrase=", "secret=", "token=", "apikey=", "api_key="}) {
    const auto at = low.find(name);
    if (at == std::string::npos) continue;
    const std::string_view value = std::string_view(low).substr(at + name.size());
    if (!value.empty() && !value.starts_with("env:") && !value.starts_with("file:/") && value.front() != '&')
      return true;
  }
  return false;
}

bool looks_like_secret(std::string_view text) {
  if (text.starts_with("env:") || text.starts_with("file:/")) return false;
  for (const std::string_view start : {"AKIA", "ASIA"})
    if (text.starts_with(start) && text.size() == 20) return true;
  for (const std::string_view start : {"ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "sk_live_", "glpat-", "AIza"})
    if (text.starts_with(start) && text.size() > start.size() + 8) return true;
  if (text.find("PRIVATE KEY-----") != std::string_view::npos) return true;
  for (const std::string_view start : {"Bearer ", "Basic "})
    if (text.starts_with(start) && text.size() > start.size() + 8) return true;
  if (gives_a_password(text)) return true;
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
  return at != std::string_view::npos && at > 0 && text.rfind('@') == at &&
         text.find_first_of(" ,;\r\n<>") == std::string_view::npos && text.find("://") == std::string_view::npos &&
         !host_of(text).empty();
}

}  // namespace anclora::plan

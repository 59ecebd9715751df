#include "protect/find/key_pattern.h"

#include <algorithm>

namespace anclora::protect {
namespace {

// One element of a pattern that stands for one character, and how long it is.
struct Element {
  std::size_t size = 1;
  bool matches = false;
};

Element match_set(std::string_view pattern, char letter) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      found |= pattern[at + 1] == letter;
      at += 2;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      const auto [low, high] =
          std::minmax({static_cast<unsigned char>(pattern[at]), static_cast<unsigned char>(pattern[at + 2])});
      found |= low <= static_cast<unsigned char>(letter) && static_cast<unsigned char>(letter) <= high;
      at += 3;
    } else {
      found |= pattern[at] == letter;
      ++at;
    }
  }
  return {std::min(at + 1, pattern.size()), found != negated};
}

Element match_one(std::string_view pattern, char letter) {
  switch (pattern.front()) {
    case '?':
      return {1, true};
    case '[':
      return match_set(pattern, letter);
    case '\\':
      if (pattern.size() > 1) return {2, pattern[1] == letter};
      break;
    default:
      break;
  }
  return {1, pattern.front() == letter};
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // after the last star seen
  std::size_t star_text = 0;                  // where its match ends so far
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    const Element element = p < pattern.size() ? match_one(pattern.substr(p), text[t]) : Element{};
    if (element.matches) {
      p += element.size;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

KeyPattern::KeyPattern(std::string_view text) : text_(text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '*' || text[at] == '?' || text[at] == '[') {
      exact_ = false;
      break;
    }
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    literal_ += text[at];
  }
  const std::size_t colon = literal_.rfind(':');
  if (exact_) {
    indexed_ = literal_;
  } else if (colon != std::string::npos) {
    indexed_ = literal_.substr(0, colon + 1);
  }
}

bool KeyPattern::matches(std::string_view key) const {
  if (exact_) return key == literal_;
  return key.starts_with(literal_) && glob_matches(text_, key);
}

}  // namespace anclora::protect

// A key to look for: exact, or a GLOB as Redis's KEYS takes it (* ? [abc] [^a] [a-z] \x). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace anclora::protect {

class KeyPattern {
 public:
  explicit KeyPattern(std::string_view text);
  static KeyPattern parse(std::string_view text) { return KeyPattern(text); }

  bool matches(std::string_view key) const;
  // The key itself, without its backslashes, when the pattern is no GLOB.
  bool is_exact() const { return exact_; }
  // What an index can be asked: the exact key, or the literal text before the first special character, up to and with
  // its last ':'. Nothing: the pattern can only be found by reading everything.
  const std::optional<std::string>& indexed() const { return indexed_; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string literal_;  // up to the first special character, without backslashes
  bool exact_ = true;
  std::optional<std::string> indexed_;
};

// Redis's own rules, case matters. A pattern of n bytes takes at most time n * key, whatever its stars.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace anclora::protect

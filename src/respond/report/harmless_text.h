// Foreign text made harmless for a document: no control or direction characters, valid UTF-8, a bounded length, and
// escaped for its format. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace anclora::respond {

inline constexpr std::size_t kMaxShownBytes = 2000;

// Line ends, tabs and other white space become one space each; control, direction and zero-width characters and what is
// no UTF-8 become U+FFFD. Beyond `limit` bytes it is cut between two characters: " [<cut> N]" says how many are left
// out.
std::string plain_text(std::string_view text, std::string_view cut, std::size_t limit = kMaxShownBytes);

std::string escape_html(std::string_view text);
// Shown by any Markdown reader as the text it is, wherever it stands in a line: no markup, HTML, link or table cell.
std::string escape_markdown(std::string_view text);

}  // namespace anclora::respond

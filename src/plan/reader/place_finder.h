// Turns byte offsets of a file into lines and columns, and byte columns into columns of characters.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "plan/value.h"

namespace anclora::plan {

// Thread rule: one thread.
class PlaceFinder {
 public:
  explicit PlaceFinder(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') starts_.push_back(i + 1);
  }

  Place at_offset(std::size_t offset) const {
    offset = std::min(offset, text_.size());
    const auto after = std::ranges::upper_bound(starts_, offset);
    const auto line = static_cast<std::size_t>(after - starts_.begin()) - 1;
    return at_byte_column(line, offset - starts_[line]);
  }

  // Both from 0, the column in bytes. Asked in the order of the file it costs no more than reading the file once.
  Place at_byte_column(std::size_t line, std::size_t column) const {
    if (line >= starts_.size()) return at_offset(text_.size());
    if (line != line_ || column < column_) {
      line_ = line;
      column_ = characters_ = 0;
    }
    for (const char c : text_.substr(std::min(starts_[line] + column_, text_.size()), column - column_))
      characters_ += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1 : 0;
    column_ = column;
    return {static_cast<std::uint32_t>(line + 1), static_cast<std::uint32_t>(characters_ + 1)};
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
  // Where the last answer ended: the next is mostly a little further.
  mutable std::size_t line_ = 0;
  mutable std::size_t column_ = 0;
  mutable std::size_t characters_ = 0;
};

}  // namespace anclora::plan

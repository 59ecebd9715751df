// A number that is the whole of a text: what people, servers, file names and settings write.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <system_error>

namespace anclora {

// Nothing unless all of `text` is a number in decimal that fits: no space, no '+', and a '-' only where `Number` has a
// sign. Leading zeros are taken.
template <std::integral Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

}  // namespace anclora

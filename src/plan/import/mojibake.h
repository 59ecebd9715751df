// Text that was UTF-8, was read as Windows-1252 and was written as UTF-8 again: "Ã¡" for "á", "ðŸŽ¯" for an emoji.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace anclora::plan {

struct Repair {
  std::string text;
  std::size_t repaired = 0;      // runs of characters that were put right
  std::uint32_t first_line = 0;  // where the first of them stands, 0 when there is none
};

// Puts right every run of non-ASCII characters that reads as UTF-8 when each is taken for its Windows-1252 byte, as
// often as it was spoilt (at most three times). Other bytes stay; bytes that are not UTF-8 become U+FFFD.
Repair repair_mojibake(std::string_view bytes);

}  // namespace anclora::plan

#include "storage/journal/key_prefix.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kDigitsInARow = 4;
constexpr std::size_t kLongSegmentBytes = 16;
constexpr std::size_t kDigitsOfALongOne = 3;

// What is known of a segment while its bytes pass.
struct Segment {
  std::size_t size = 0;
  std::size_t digits = 0;
  std::size_t run = 0;
  bool long_run = false;

  void take(char c) {
    ++size;
    run = c >= '0' && c <= '9' ? run + 1 : 0;
    digits += run > 0 ? 1 : 0;
    long_run = long_run || run >= kDigitsInARow;
  }
  bool is_identifier() const {
    return long_run || (size > 0 && digits == size) || (size >= kLongSegmentBytes && digits >= kDigitsOfALongOne);
  }
};

}  // namespace

std::string_view key_prefix(std::string_view key) {
  std::size_t begin = 0;  // of the segment that passes
  Segment segment;
  for (std::size_t at = 0; at < key.size(); ++at) {
    if (key[at] != ':') {
      segment.take(key[at]);
    } else if (segment.is_identifier()) {
      break;
    } else {
      begin = at + 1;
      segment = {};
    }
  }
  return key.substr(0, begin);
}

}  // namespace anclora::storage

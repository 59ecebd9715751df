#include "storage/journal/template_filler.h"

#include <algorithm>
#include <cstring>

#include "storage/journal/command_frame.h"
#include "storage/journal/slot_text.h"

namespace anclora::storage {
namespace {

using command_frame::kMaxNewWordBytes;
using command_frame::kNewWord;

constexpr unsigned kMaxLengthDigits = 9;

bool same(const char* a, const char* b, std::size_t size) {
  using slot_text::load;
  if (size < kWordChars) {
    for (std::size_t i = 0; i < size; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }
  for (std::size_t i = 0; i + kWordChars < size; i += kWordChars)
    if (load(a + i) != load(b + i)) return false;
  return load(a + size - kWordChars) == load(b + size - kWordChars);
}

// The delimiter behind a word, kSlotReach bytes of which can be read; nullptr: it is longer than a word may be.
const char* end_of_word(const char* at, const char* end, char delimiter) {
  using namespace slot_text;
  const std::uint64_t wanted = 0x0101010101010101 * static_cast<unsigned char>(delimiter);
  for (const unsigned first : {0U, kWordChars})
    if (const std::uint64_t found = equal_chars(load(at + first), wanted); found != 0)
      return at + first + std::countr_zero(found) / 8;
  const std::size_t longest = std::min<std::size_t>(kMaxNewWordBytes + 1, static_cast<std::size_t>(end - at));
  return static_cast<const char*>(std::memchr(at, delimiter, longest));
}

}  // namespace

TemplateFiller::TemplateFiller(const char* end) : end_(end), last_place_(end == nullptr ? end : end - kSlotReach) {}

bool read_length_line(const char*& at, const char* end, char sign, long& value) {
  if (at == end || *at != sign) return false;
  const char* digit = at + 1;
  value = 0;
  while (digit < end && *digit >= '0' && *digit <= '9' && digit - at <= kMaxLengthDigits)
    value = value * 10 + (*digit++ - '0');
  if (digit == at + 1 || end - digit < 2 || digit[0] != '\r' || digit[1] != '\n') return false;
  at = digit + 2;
  return true;
}

const char* TemplateFiller::fill(const CommandTemplate& shape, std::vector<WordTable>& words, const char* at,
                                 char*& out) {
  added_.clear();
  const char* const end = fill_steps(shape, words, at, out);
  if (end == nullptr)
    for (WordTable* const each : added_) each->drop_last();
  return end;
}

const char* TemplateFiller::fill_steps(const CommandTemplate& shape, std::vector<WordTable>& words, const char* at,
                                       char*& out) {
  const char* const text = shape.text().data();
  for (const TemplateStep& step : shape.steps()) {
    if (last_place_ - at < static_cast<std::ptrdiff_t>(step.text_bytes) ||
        !same(at, text + step.text_at, step.text_bytes))
      return nullptr;
    at += step.text_bytes;
    if (step.kind == SlotKind::kEnd) return at;
    at = fill_slot(step, words, at, out);
    if (at == nullptr) return nullptr;
  }
  return nullptr;
}

const char* TemplateFiller::fill_slot(const TemplateStep& step, std::vector<WordTable>& words, const char* at,
                                      char*& out) {
  std::uint64_t value = 0;
  switch (step.kind) {
    case SlotKind::kDecimal:
      if (!read_decimal(at, step.width, value)) return nullptr;
      slot_text::store(out, value);
      out += kDecimalBytes[step.width];
      return at + step.width;
    case SlotKind::kNumber: {
      const unsigned digits = read_number(at, value);
      if (digits == 0) return nullptr;
      // The two lowest bits say how many bytes: 1, 2, 4, 8.
      const unsigned size = unsigned{value >= 1U << 6} + unsigned{value >= 1U << 14} + unsigned{value >= 1U << 30};
      slot_text::store(out, value << 2 | size);
      out += std::size_t{1} << size;
      return at + digits;
    }
    case SlotKind::kHexadecimal: {
      const unsigned size = read_hexadecimal(at, step.width, out);
      out += size;
      return size == 0 ? nullptr : at + step.width;
    }
    case SlotKind::kWord:
      return fill_word(step, words[step.words], at, out);
    case SlotKind::kArgument:
      return fill_argument(at, out);
    case SlotKind::kEnd:
      break;
  }
  return at;
}

const char* TemplateFiller::fill_word(const TemplateStep& step, WordTable& words, const char* at, char*& out) {
  const char* const end = end_of_word(at, end_, step.delimiter);
  if (end == nullptr) return nullptr;
  const auto size = static_cast<unsigned>(end - at);
  if (size <= WordTable::kMaxWordBytes) {
    const WordTable::Word word = WordTable::word_at(at, size);
    if (const std::optional<std::uint8_t> number = words.find(word)) {
      *out++ = static_cast<char>(*number);
      return end;
    }
    if (words.add(word)) added_.push_back(&words);
  }
  *out++ = static_cast<char>(kNewWord);
  *out++ = static_cast<char>(size);
  std::memcpy(out, at, size);
  out += size;
  return end;
}

const char* TemplateFiller::fill_argument(const char* at, char*& out) const {
  const char* const line = at;
  long size = 0;
  if (!read_length_line(at, end_, '$', size)) return nullptr;
  const bool needless_zero = line[1] == '0' && at - line > 4;  // "$007": the length would be written without
  if (needless_zero || last_place_ - at < size + 2 || at[size] != '\r' || at[size + 1] != '\n') return nullptr;
  for (auto rest = static_cast<unsigned long>(size);; rest >>= 7) {
    *out++ = static_cast<char>(rest < 128 ? rest : (rest & 127) | 128);
    if (rest < 128) break;
  }
  std::memcpy(out, at, static_cast<std::size_t>(size));
  out += size;
  return at + size + 2;
}

}  // namespace anclora::storage

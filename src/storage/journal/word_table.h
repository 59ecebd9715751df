// The words that one slot of a command frame has held so far, by number. One thread. Format:
// docs/formats/command-frame.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "storage/journal/slot_text.h"

namespace anclora::storage {

class WordTable {
 public:
  static constexpr unsigned kMaxWords = 128;
  static constexpr unsigned kMaxWordBytes = 15;  // longer ones are not kept

  // A word of at most kMaxWordBytes, zeros after it.
  struct Word {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::uint8_t size_bytes = 0;
    bool operator==(const Word&) const = default;
  };
  // The first `size_bytes` (at most kMaxWordBytes) at `text`, of which kSlotReach can be read.
  static Word word_at(const char* text, unsigned size_bytes) {
    Word word{slot_text::load(text), 0, static_cast<std::uint8_t>(size_bytes)};
    if (size_bytes < kWordChars) {
      word.low &= (std::uint64_t{1} << (size_bytes * 8)) - 1;
    } else {
      word.high = slot_text::load(text + kWordChars) & ((std::uint64_t{1} << ((size_bytes - kWordChars) * 8)) - 1);
    }
    return word;
  }

  void clear() { count_ = 0; }
  // nullopt: it is not there, or another word took its place among the places (its number stays valid).
  std::optional<std::uint8_t> find(const Word& word) const {
    const std::uint8_t number = numbers_[place(word)];
    if (number >= count_ || words_[number] != word) return std::nullopt;
    return number;
  }
  // Keeps it under the next number. False: there is no room.
  bool add(const Word& word) {
    if (count_ == kMaxWords) return false;
    words_[count_] = word;
    numbers_[place(word)] = count_++;
    return true;
  }
  // Undoes the last add().
  void drop_last() { --count_; }
  std::uint8_t count() const { return count_; }
  const Word& at(std::uint8_t number) const { return words_[number]; }

 private:
  static std::size_t place(const Word& word) {
    constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
    return ((word.low ^ word.high * kSpread ^ word.size_bytes) * kSpread) >> 56;
  }

  std::uint8_t count_ = 0;
  std::array<std::uint8_t, 256> numbers_{};
  std::array<Word, kMaxWords> words_{};
};

}  // namespace anclora::storage

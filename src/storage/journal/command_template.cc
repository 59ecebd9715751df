#include "storage/journal/command_template.h"

#include <algorithm>

#include "storage/journal/command_frame.h"
#include "storage/journal/slot_text.h"

namespace anclora::storage {
namespace {

// An argument that is longer, has more pieces, or comes after so many, is a value of its own: nothing in it is looked
// at.
constexpr std::size_t kMaxSplitBytes = kKiB;
constexpr std::size_t kMaxPieces = 256;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hexadecimal(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
// Bytes above ASCII are letters: a word in UTF-8 stays one.
bool in_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool all_digits(std::string_view text) {
  return text.size() <= kMaxDecimalDigits && std::ranges::all_of(text, is_digit);
}
bool all_hexadecimal(std::string_view text) {
  return text.size() >= 2 && text.size() <= kMaxHexadecimalDigits && std::ranges::all_of(text, is_hexadecimal);
}
bool plain_number(std::string_view text) { return all_digits(text) && (text.size() == 1 || text.front() != '0'); }

// The letters before a number ("t" of "t042"); all of it when it is not such a word.
std::size_t letters_before_number(std::string_view word) {
  const auto number = static_cast<std::size_t>(std::ranges::find_if(word, is_digit) - word.begin());
  const bool splits = number > 0 && number < word.size() && all_digits(word.substr(number)) && !all_hexadecimal(word);
  return splits ? number : word.size();
}

}  // namespace

CommandTemplate::Argument CommandTemplate::split(std::string_view argument) {
  Argument split;
  split.whole = argument.size() > kMaxSplitBytes;
  while (!split.whole && !argument.empty()) {
    const bool word = in_word(argument.front());
    const auto end = std::ranges::find_if(argument, [word](char c) { return in_word(c) != word; });
    const std::string_view run = argument.substr(0, static_cast<std::size_t>(end - argument.begin()));
    const std::string_view piece = word ? run.substr(0, letters_before_number(run)) : run;
    split.pieces.push_back({std::string(piece)});
    argument.remove_prefix(piece.size());
    split.whole = split.pieces.size() > kMaxPieces;
  }
  if (split.whole) split.pieces.clear();
  return split;
}

// False: they have no slot in common.
bool CommandTemplate::widen(Piece& piece, std::string_view other) {
  if (!in_word(other.front())) return piece.kind == SlotKind::kEnd && piece.text == other;
  const bool as_it_stands = piece.kind == SlotKind::kEnd;
  if (std::max(piece.text.size(), other.size()) > command_frame::kMaxNewWordBytes)
    return as_it_stands && piece.text == other;
  if (as_it_stands && !in_word(piece.text.front())) return false;
  if (as_it_stands && piece.text == other) return true;
  const bool same_width = (as_it_stands ? piece.text.size() : piece.width) == other.size();
  const bool was_digits = as_it_stands ? all_digits(piece.text) : piece.kind == SlotKind::kDecimal;
  const bool was_number =
      as_it_stands ? plain_number(piece.text) : piece.kind == SlotKind::kNumber || piece.kind == SlotKind::kDecimal;
  const bool was_hexadecimal = as_it_stands ? all_hexadecimal(piece.text)
                                            : piece.kind == SlotKind::kHexadecimal || piece.kind == SlotKind::kDecimal;
  if (was_digits && same_width && all_digits(other))
    piece.kind = SlotKind::kDecimal;
  else if (was_number && plain_number(other))
    piece.kind = SlotKind::kNumber;
  else if (was_hexadecimal && same_width && all_hexadecimal(other))
    piece.kind = SlotKind::kHexadecimal;
  else
    piece.kind = SlotKind::kWord;
  piece.width = piece.kind == SlotKind::kDecimal || piece.kind == SlotKind::kHexadecimal
                    ? static_cast<std::uint8_t>(other.size())
                    : 0;
  return true;
}

void CommandTemplate::widen(Argument& argument, std::string_view other) {
  if (argument.whole) return;
  const Argument pieces = split(other);
  argument.whole = pieces.whole || pieces.pieces.size() != argument.pieces.size();
  for (std::size_t i = 0; i < argument.pieces.size() && !argument.whole; ++i)
    argument.whole = !widen(argument.pieces[i], pieces.pieces[i].text);
  // A word ends at the text behind it: there must be some.
  for (std::size_t i = 0; i + 1 < argument.pieces.size() && !argument.whole; ++i)
    argument.whole = argument.pieces[i].kind == SlotKind::kWord && argument.pieces[i + 1].kind != SlotKind::kEnd;
}

CommandTemplate::CommandTemplate(const std::vector<std::string_view>& arguments) {
  arguments_.reserve(arguments.size());
  std::size_t pieces = 0;
  for (const std::string_view argument : arguments) {
    arguments_.push_back(pieces > kMaxPieces ? Argument{{}, true} : split(argument));
    pieces += arguments_.back().pieces.size();
  }
  build();
}

void CommandTemplate::widen(const std::vector<std::string_view>& arguments) {
  for (std::size_t i = 0; i < arguments_.size(); ++i) widen(arguments_[i], arguments[i]);
  build();
}

std::size_t CommandTemplate::whole_arguments() const {
  return static_cast<std::size_t>(std::ranges::count_if(arguments_, &Argument::whole));
}

void CommandTemplate::end_text(SlotKind kind, std::uint8_t width) {
  const auto size = static_cast<std::uint32_t>(text_.size());
  steps_.push_back({ended_, size - ended_, kind, width});
  ended_ = size;
}

void CommandTemplate::append(const Argument& argument) {
  if (argument.whole) return end_text(SlotKind::kArgument, 0);
  std::size_t size = 0;
  bool fixed = true;
  for (const Piece& piece : argument.pieces) {
    size += piece.kind == SlotKind::kEnd ? piece.text.size() : piece.width;
    fixed = fixed && (piece.kind == SlotKind::kEnd || piece.width > 0);
  }
  text_ += '$';
  if (fixed)
    text_ += std::to_string(size);
  else
    end_text(SlotKind::kNumber, 0);
  text_ += "\r\n";
  for (const Piece& piece : argument.pieces) {
    if (piece.kind == SlotKind::kEnd)
      text_ += piece.text;
    else
      end_text(piece.kind, piece.width);
  }
  text_ += "\r\n";
}

void CommandTemplate::build() {
  text_ = "*" + std::to_string(arguments_.size()) + "\r\n";
  ended_ = 0;
  steps_.clear();
  word_slots_ = 0;
  for (const Argument& argument : arguments_) append(argument);
  end_text(SlotKind::kEnd, 0);
  if (steps_.size() > kMaxTemplateSteps || text_.size() > kMaxTemplateTextBytes) return steps_.clear();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].kind != SlotKind::kWord) continue;
    steps_[i].delimiter = text_[steps_[i + 1].text_at];
    steps_[i].words = word_slots_++;
  }
}

}  // namespace anclora::storage

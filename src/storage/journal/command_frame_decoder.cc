#include "storage/journal/command_frame_decoder.h"

#include <fmt/format.h>

#include <cstring>

#include "storage/journal/slot_text.h"

namespace anclora::storage {
namespace {

using namespace command_frame;

constexpr std::size_t kCopyBytes = 16;

// Whole words: up to kCopyBytes more are read and written.
void copy_roughly(const char* from, std::size_t size, char* to) {
  std::memcpy(to, from, kCopyBytes);
  for (std::size_t done = kCopyBytes; done < size; done += kCopyBytes) std::memcpy(to + done, from + done, kCopyBytes);
}

bool fits(const TemplateStep& step) {
  switch (step.kind) {
    case SlotKind::kDecimal:
      return step.width > 0 && step.width <= kMaxDecimalDigits;
    case SlotKind::kHexadecimal:
      return step.width > 0 && step.width <= kMaxHexadecimalDigits;
    default:
      return step.width == 0;
  }
}

std::uint64_t low_bytes(std::uint64_t word, unsigned bytes) { return word & ~std::uint64_t{0} >> (64 - 8 * bytes); }

}  // namespace

char* CommandFrameDecoder::body(std::size_t size_bytes) {
  body_bytes_ = size_bytes;
  if (body_.size() < size_bytes + kReachBytes) body_.resize(size_bytes + kReachBytes);
  return body_.data();
}

std::optional<ByteView> CommandFrameDecoder::decode(std::size_t plain_bytes) {
  if (plain_.size() < plain_bytes + kReachBytes) plain_.resize(plain_bytes + kReachBytes);
  at_ = body_.data();
  body_end_ = at_ + body_bytes_;
  out_ = plain_.data();
  out_end_ = out_ + plain_bytes;
  templates_.clear();
  word_slots_ = 0;
  while (at_ < body_end_ && out_ <= out_end_) {
    const auto op = static_cast<std::uint8_t>(*at_++);
    bool good = false;
    if (op == kVerbatim)
      good = copy_sized();
    else if (op == kDefine)
      good = define();
    else if (op - kFirstTemplate < static_cast<int>(templates_.size()))
      good = repeat(templates_[op - kFirstTemplate]);
    if (!good) return std::nullopt;
  }
  if (at_ != body_end_ || out_ != out_end_) return std::nullopt;
  return ByteView(plain_.data(), plain_bytes);
}

bool CommandFrameDecoder::define() {
  if (templates_.size() == kMaxTemplates) return false;
  Template shape;
  do {
    if (shape.steps.size() == kMaxTemplateSteps || !read_step(shape)) return false;
  } while (shape.steps.back().kind != SlotKind::kEnd);
  shape.text.append(kCopyBytes, '\0');
  templates_.push_back(std::move(shape));
  return true;
}

bool CommandFrameDecoder::read_step(Template& shape) {
  std::uint64_t text_bytes = 0;
  if (!read_varint(text_bytes) || text_bytes > kMaxTemplateTextBytes - shape.text.size() || text_bytes + 2 > left())
    return false;
  TemplateStep step{static_cast<std::uint32_t>(shape.text.size()), static_cast<std::uint32_t>(text_bytes)};
  shape.text.append(at_, text_bytes);
  at_ += text_bytes;
  const auto kind = static_cast<std::uint8_t>(*at_++);
  step.width = static_cast<std::uint8_t>(*at_++);
  if (kind > static_cast<std::uint8_t>(SlotKind::kArgument)) return false;
  step.kind = static_cast<SlotKind>(kind);
  if (!fits(step)) return false;
  if (step.kind == SlotKind::kWord) {
    if (word_slots_++ == kMaxWordSlots) return false;
    step.words = static_cast<std::uint16_t>(shape.words.size());
    shape.words.emplace_back();
  }
  shape.steps.push_back(step);
  return true;
}

// One command. The memory reaches further than a template does; whether the bytes did is looked at where it ends.
bool CommandFrameDecoder::repeat(Template& shape) {
  const char* const text = shape.text.data();
  for (const TemplateStep& step : shape.steps) {
    copy_roughly(text + step.text_at, step.text_bytes, out_);
    out_ += step.text_bytes;
    if (!fill_slot(step, shape)) return false;
  }
  return at_ <= body_end_;
}

bool CommandFrameDecoder::fill_slot(const TemplateStep& step, Template& shape) {
  switch (step.kind) {
    case SlotKind::kEnd:
      return true;
    case SlotKind::kDecimal: {
      const unsigned size = kDecimalBytes[step.width];
      const std::uint64_t value = low_bytes(slot_text::load(at_), size);
      if (value >= kPowersOfTen[step.width]) return false;
      write_decimal(value, step.width, out_);
      at_ += size;
      out_ += step.width;
      return true;
    }
    case SlotKind::kNumber: {
      const std::uint64_t word = slot_text::load(at_);
      const unsigned size = 1U << (word & 3);
      const std::uint64_t value = low_bytes(word, size) >> 2;
      if (value >= kPowersOfTen[kMaxDecimalDigits]) return false;
      at_ += size;
      out_ += write_number(value, out_);
      return true;
    }
    case SlotKind::kHexadecimal:
      write_hexadecimal(at_, step.width, out_);
      at_ += (step.width + 1) / 2;
      out_ += step.width;
      return true;
    case SlotKind::kWord:
      return fill_word(shape.words[step.words]);
    case SlotKind::kArgument:
      return fill_argument();
  }
  return false;
}

bool CommandFrameDecoder::fill_word(WordTable& words) {
  const auto number = static_cast<std::uint8_t>(*at_++);
  if (number != kNewWord) {
    if (number >= words.count()) return false;
    const WordTable::Word& word = words.at(number);
    slot_text::store(out_, word.low);
    slot_text::store(out_ + kWordChars, word.high);
    out_ += word.size_bytes;
    return true;
  }
  const auto size = static_cast<std::uint8_t>(*at_++);
  std::memcpy(out_, at_, size);
  if (size <= WordTable::kMaxWordBytes) words.add(WordTable::word_at(at_, size));
  at_ += size;
  out_ += size;
  return true;
}

bool CommandFrameDecoder::fill_argument() {
  if (at_ > body_end_ || out_ > out_end_) return false;
  std::uint64_t size = 0;
  if (!read_varint(size) || size > left() || size > static_cast<std::size_t>(out_end_ - out_)) return false;
  out_ = fmt::format_to(out_, "${}\r\n", size);
  std::memcpy(out_, at_, size);
  at_ += size;
  out_ += size;
  *out_++ = '\r';
  *out_++ = '\n';
  return true;
}

bool CommandFrameDecoder::copy_sized() {
  std::uint64_t size = 0;
  if (!read_varint(size) || size > left() || size > static_cast<std::size_t>(out_end_ - out_)) return false;
  std::memcpy(out_, at_, size);
  at_ += size;
  out_ += size;
  return true;
}

bool CommandFrameDecoder::read_varint(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && at_ < body_end_; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at_++);
    if (shift == 63 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if (byte < 128) return true;
  }
  return false;
}

}  // namespace anclora::storage

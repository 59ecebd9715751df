#include "storage/journal/command_frame_encoder.h"

#include <algorithm>
#include <cstring>

namespace anclora::storage {
namespace {

using namespace command_frame;

constexpr std::size_t kMaxKnown = 64;  // signatures
constexpr std::size_t kMaxShapes = 4;  // of commands of one signature
constexpr unsigned kMaxLearned = 64;   // in one body: who never repeats himself is left to zstd soon
constexpr unsigned kMaxSkip = 63;
constexpr long kMaxArguments = 1024;
constexpr unsigned kCountBits = 11;
constexpr std::string_view kNextCommand = "\r\n*";

// Commands of one signature may share a template: number of arguments, name, and what the first key begins with.
std::uint64_t signature_of(const std::vector<std::string_view>& arguments) {
  constexpr std::uint64_t kPrime = 0x100000001B3;  // FNV-1a
  constexpr std::size_t kLooked = 32;
  std::uint64_t hash = 0xCBF29CE484222325;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text.substr(0, kLooked)) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
    hash = (hash ^ 0x100) * kPrime;
  };
  add(arguments.front());
  if (arguments.size() > 1) add(arguments[1].substr(0, arguments[1].find_first_of(":{0123456789")));
  static_assert(kMaxArguments < 1 << kCountBits);
  return hash << kCountBits | arguments.size();  // never equal for different numbers of arguments
}

}  // namespace

void CommandFrameEncoder::begin(ByteView plain) {
  begin_ = at_ = verbatim_ = plain.data();
  end_ = begin_ + plain.size();
  filler_ = TemplateFiller(end_);
  // Before a command the body has at most three quarters of the plain bytes, or kReachBytes (pays()). A command copies
  // at most what is left of them, and makes a definition for each of its shapes and the values of one.
  static_assert((kMaxShapes + 1) * 2 * kMaxTemplateTextBytes < kMinPlainBytes + kReachBytes);
  const std::size_t needed = 2 * plain.size() + 2 * kReachBytes;
  if (out_memory_.size() < needed) out_memory_.resize(needed);
  out_ = out_memory_.data();
  std::size_t words = 0;
  for (auto& [signature, shapes] : known_) {
    for (const auto& known : shapes) {
      known->number.reset();
      known->next = nullptr;
      words += known->words.size();
    }
  }
  if (known_.size() > kMaxKnown || words > kMaxWordSlots) known_.clear();
  last_ = nullptr;
  templates_ = word_slots_ = 0;
  learned_ = 0;
}

bool CommandFrameEncoder::pays() const {
  const auto made = static_cast<std::size_t>(out_ - out_memory_.data());
  return made < kReachBytes || made < static_cast<std::size_t>(at_ - begin_) / 4 * 3;
}

std::optional<ByteView> CommandFrameEncoder::encode(ByteView plain) {
  if (plain.size() < kMinPlainBytes) return std::nullopt;
  if (to_skip_ > 0) {
    --to_skip_;
    return std::nullopt;
  }
  begin(plain);
  while (at_ < filler_.last_place() && pays()) {
    if (*at_ != '*') {
      const ByteView rest(at_, static_cast<std::size_t>(end_ - at_));
      const std::size_t found = rest.find(kNextCommand);
      if (found == ByteView::npos) break;
      at_ += found + kNextCommand.size() - 1;
      continue;
    }
    if (take_expected()) continue;
    if (parse()) take_parsed();
  }
  const bool whole = pays();
  put_verbatim(end_);
  const auto made = static_cast<std::size_t>(out_ - out_memory_.data());
  if (!whole || templates_ == 0 || made > plain.size() / 2) {
    last_skip_ = std::min(kMaxSkip, 2 * last_skip_ + 1);
    to_skip_ = last_skip_;
    return std::nullopt;
  }
  last_skip_ = 0;
  return ByteView(out_memory_.data(), made);
}

// What came after the last command the last time.
bool CommandFrameEncoder::take_expected() {
  return last_ != nullptr && last_->next != nullptr && last_->next->number && take_known(*last_->next);
}

// The command at at_, by a template that this body knows. False: it does not fit, and nothing was taken.
bool CommandFrameEncoder::take_known(Known& known) {
  put_verbatim(at_);
  char* out = out_;
  *out++ = static_cast<char>(kFirstTemplate + *known.number);
  const char* const end = filler_.fill(known.shape, known.words, at_, out);
  if (end == nullptr) return false;
  out_ = out;
  at_ = verbatim_ = end;
  if (last_ != nullptr) last_->next = &known;
  last_ = &known;
  return true;
}

bool CommandFrameEncoder::parse() {
  const char* at = at_;
  long count = 0;
  arguments_.clear();
  bool whole = read_length_line(at, end_, '*', count) && count > 0 && count <= kMaxArguments;
  for (; whole && count > 0; --count) {
    long size = 0;
    whole = read_length_line(at, end_, '$', size) && end_ - at >= size + 2;
    if (whole) {
      arguments_.emplace_back(at, static_cast<std::size_t>(size));
      at += size + 2;
    }
  }
  if (whole)
    command_end_ = at;
  else
    at_ = std::max(at, at_ + 1);
  return whole;
}

// The parsed command, by a template that fits or is made to; else it stays as it is.
void CommandFrameEncoder::take_parsed() {
  const std::uint64_t signature = signature_of(arguments_);
  if (const auto found = known_.find(signature); found != known_.end())
    for (const auto& known : found->second)
      if ((known->number || define(*known)) && take_known(*known)) return;
  if (!learn(signature)) at_ = command_end_;
}

// Makes or widens a template so that it takes the command at at_. False: that cannot be had.
bool CommandFrameEncoder::learn(std::uint64_t signature) {
  if (learned_ == kMaxLearned || command_end_ > filler_.last_place()) return false;
  ++learned_;
  Known& known = shape_for_parsed(known_[signature]);
  return define(known) && take_known(known);
}

// One that needs no more whole arguments than before; else a new one; else, of enough, the last one.
CommandFrameEncoder::Known& CommandFrameEncoder::shape_for_parsed(Shapes& shapes) const {
  for (const auto& known : shapes) {
    CommandTemplate wider = known->shape;
    wider.widen(arguments_);
    if (wider.whole_arguments() > known->shape.whole_arguments() &&
        (shapes.size() < kMaxShapes || known != shapes.back()))
      continue;
    known->shape = std::move(wider);
    return *known;
  }
  return *shapes.emplace_back(std::make_unique<Known>(arguments_));
}

// Writes the template into the body, under the next number.
bool CommandFrameEncoder::define(Known& known) {
  const CommandTemplate& shape = known.shape;
  known.number.reset();  // what it was is not what it is
  if (!shape.usable() || templates_ == kMaxTemplates || word_slots_ + shape.word_slots() > kMaxWordSlots) return false;
  put_verbatim(at_);
  *out_++ = static_cast<char>(kDefine);
  for (const TemplateStep& step : shape.steps()) {
    put_varint(step.text_bytes);
    std::memcpy(out_, shape.text().data() + step.text_at, step.text_bytes);
    out_ += step.text_bytes;
    *out_++ = static_cast<char>(step.kind);
    *out_++ = static_cast<char>(step.width);
  }
  known.words.resize(shape.word_slots());
  for (WordTable& words : known.words) words.clear();
  known.number = static_cast<std::uint8_t>(templates_++);
  word_slots_ += shape.word_slots();
  return true;
}

void CommandFrameEncoder::put_verbatim(const char* end) {
  if (end == verbatim_) return;
  const auto size = static_cast<std::size_t>(end - verbatim_);
  *out_++ = static_cast<char>(kVerbatim);
  put_varint(size);
  std::memcpy(out_, verbatim_, size);
  out_ += size;
  verbatim_ = end;
}

void CommandFrameEncoder::put_varint(std::uint64_t value) {
  for (; value >= 128; value >>= 7) *out_++ = static_cast<char>(value | 128);
  *out_++ = static_cast<char>(value);
}

}  // namespace anclora::storage

#include "redis/resp/command_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace anclora::redis {
namespace {

// The same bounds as a server's, but for bulks: a link to a primary has none there.
constexpr std::uint64_t kMaxArguments = 0x7fffffff;
constexpr std::uint64_t kMaxArgumentBytes = std::uint64_t{1} << 40;
constexpr std::uint32_t kMaxDigits = 18;
constexpr std::uint64_t kSmallestArgument = 6;  // "$0\r\n\r\n"
// What stays allocated between commands of many arguments.
constexpr std::size_t kIdleArguments = 4096;

// A number and its line end: the byte after them, or null when they are not all there or malformed.
inline const char* take_number(const char* at, const char* end, std::uint64_t& number) {
  // Most numbers have one digit or two.
  if (end - at >= 4) {
    const unsigned first = static_cast<unsigned char>(at[0]) - unsigned{'0'};
    const unsigned second = static_cast<unsigned char>(at[1]) - unsigned{'0'};
    if (first <= 9 && at[1] == '\r' && at[2] == '\n') return number = first, at + 3;
    if (first <= 9 && second <= 9 && at[2] == '\r' && at[3] == '\n') return number = first * 10 + second, at + 4;
  }
  const char* const begin = at;
  std::uint64_t value = 0;
  while (at < end) {
    const unsigned digit = static_cast<unsigned char>(*at) - unsigned{'0'};
    if (digit > 9) break;
    value = value * 10 + digit;
    if (++at - begin > kMaxDigits) return nullptr;
  }
  if (at == begin || end - at < 2 || at[0] != '\r' || at[1] != '\n') return nullptr;
  number = value;
  return at + 2;
}

std::optional<std::uint32_t> database_number(std::string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value;
}

}  // namespace

CommandParser::CommandParser(const StreamState& start) : state_(start) {
  kept_bytes_.reserve(kKeptArguments * kKeptArgumentBytes + kMaxNameBytes);
}

Status CommandParser::feed(ByteView chunk, CommandVisitor& visitor) {
  const char* at = chunk.data();
  const char* const end = at + chunk.size();
  while (at < end && !broken_) {
    const char* next = phase_ == Phase::kCommandStart ? take_whole_command(at, end, visitor) : nullptr;
    if (next == nullptr) {
      next = step(at, end, visitor);
      if (next == nullptr) break;
      state_.offset = state_.offset + static_cast<std::uint64_t>(next - at);
      if (phase_ == Phase::kCommandStart && !state_.open_multi) state_.boundary = state_.offset;
    }
    at = next;
  }
  if (broken_) {
    return Error(ErrorKind::kDataLoss, fmt::format("the replication stream is malformed at offset {}: {}",
                                                   state_.offset.value + 1, *broken_));
  }
  return {};
}

const char* CommandParser::take_length(const char* at, const char* end, std::uint64_t index, std::uint64_t& length) {
  static_assert(std::endian::native == std::endian::little);
  Spelling& known = spellings_[index % kSpellings];
  std::uint64_t bytes = 0;
  const bool room = static_cast<std::size_t>(end - at) >= sizeof(bytes);
  if (room) {
    std::memcpy(&bytes, at, sizeof(bytes));
    if ((bytes & known.mask) == known.bytes) {
      length = known.length;
      return at + known.size;
    }
  }
  if (at == end || *at != '$') return nullptr;
  const char* const after = take_number(at + 1, end, length);
  const auto size = static_cast<std::size_t>(after == nullptr ? 0 : after - at);
  if (room && size > 0 && size <= sizeof(bytes)) {
    const std::uint64_t mask = ~std::uint64_t{0} >> (8 * (sizeof(bytes) - size));
    known = {bytes & mask, mask, static_cast<std::uint32_t>(length), static_cast<std::uint32_t>(size)};
  }
  return after;
}

const char* CommandParser::take_whole_command(const char* at, const char* end, CommandVisitor& visitor) {
  const char* const begin = at;
  if (*at != '*') return nullptr;
  std::uint64_t count = 0;
  at = take_number(at + 1, end, count);
  if (at == nullptr || count == 0 || count > kMaxArguments) return nullptr;
  std::size_t kept = 0;
  unsigned step = 0;
  arguments_.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t length = 0;
    at = take_length(at, end, i, length);
    if (at == nullptr || static_cast<std::uint64_t>(end - at) < length + 2) return nullptr;
    const char* const body = at;
    at += length;
    if (at[0] != '\r' || at[1] != '\n') return nullptr;
    at += 2;
    if (i == 0) {
      set_name(std::string_view(body, length));
      step = ask_step(count, visitor);
    } else if (kept < kKeptArguments) {
      whole_[kept++] = {std::string_view(body, std::min<std::uint64_t>(length, kKeptArgumentBytes)), length};
    } else if (step != 0 && arguments_.size() < kMaxKeptArguments) {
      if (arguments_.empty()) arguments_.assign(whole_.begin(), whole_.end());
      const std::uint64_t take = (i - 1) % step == 0 ? std::min<std::uint64_t>(length, kKeptArgumentBytes) : 0;
      arguments_.push_back({std::string_view(body, take), length});
    }
  }
  Command command;
  command.first = state_.offset + 1;
  state_.offset = state_.offset + static_cast<std::uint64_t>(at - begin);
  command.last = state_.offset;
  command.arguments = arguments_.empty() ? std::span<const Argument>(whole_.data(), kept) : arguments_;
  command.argument_count = count - 1;
  deliver(command, visitor);
  return at;
}

const char* CommandParser::step(const char* at, const char* end, CommandVisitor& visitor) {
  switch (phase_) {
    case Phase::kCommandStart:
      return begin_command(*at) ? at + 1 : nullptr;
    case Phase::kEmptyLineLf:
      if (*at != '\n') return fail("a carriage return without a line feed"), nullptr;
      phase_ = Phase::kCommandStart;
      return at + 1;
    case Phase::kCountDigits:
    case Phase::kLengthDigits:
      return step_digits(at, end);
    case Phase::kCountLf:
      return *at == '\n' && end_count_line() ? at + 1 : (fail("a bad count of arguments"), nullptr);
    case Phase::kLengthMarker:
      if (*at != '$') return fail("an argument does not start with '$'"), nullptr;
      phase_ = Phase::kLengthDigits;
      return at + 1;
    case Phase::kLengthLf:
      return *at == '\n' && end_length_line() ? at + 1 : (fail("a bad length of an argument"), nullptr);
    case Phase::kBody:
      return step_body(at, end);
    case Phase::kBodyCr:
      if (*at != '\r') return fail("an argument is longer than its length"), nullptr;
      phase_ = Phase::kBodyLf;
      return at + 1;
    case Phase::kBodyLf:
      if (*at != '\n') return fail("an argument is longer than its length"), nullptr;
      state_.offset = state_.offset + 1;  // so that the visitor sees this byte as read
      end_argument(visitor);
      state_.offset = state_.offset - 1;
      return at + 1;
  }
  return nullptr;
}

bool CommandParser::begin_command(char byte) {
  if (byte == '\n') return true;
  command_first_ = state_.offset + 1;
  number_ = 0;
  digits_ = 0;
  if (byte == '\r') {
    phase_ = Phase::kEmptyLineLf;
  } else if (byte == '*') {
    phase_ = Phase::kCountDigits;
  } else {
    return fail(fmt::format("a command starts with byte 0x{:02x} instead of '*'", static_cast<unsigned char>(byte)));
  }
  return true;
}

const char* CommandParser::step_digits(const char* at, const char* end) {
  const char* const begin = at;
  const auto fail_here = [&](std::string_view what) {
    state_.offset = state_.offset + static_cast<std::uint64_t>(at - begin);
    fail(what);
    return nullptr;
  };
  for (; at < end; ++at) {
    if (*at == '\r') {
      if (digits_ == 0) return fail_here("a number without digits");
      phase_ = phase_ == Phase::kCountDigits ? Phase::kCountLf : Phase::kLengthLf;
      return at + 1;
    }
    const unsigned digit = static_cast<unsigned char>(*at) - unsigned{'0'};
    if (digit > 9) return fail_here("a number with a byte that is no digit");
    if (++digits_ > kMaxDigits) return fail_here("a number of too many digits");
    number_ = number_ * 10 + digit;
  }
  return at;
}

bool CommandParser::end_count_line() {
  if (number_ > kMaxArguments) return false;
  arguments_total_ = arguments_left_ = number_;
  kept_count_ = 0;
  kept_bytes_.clear();
  further_kept_.clear();
  step_ = 0;
  number_ = 0;
  digits_ = 0;
  // A server takes an array of nothing for no command at all.
  phase_ = arguments_total_ == 0 ? Phase::kCommandStart : Phase::kLengthMarker;
  return true;
}

bool CommandParser::end_length_line() {
  if (number_ > kMaxArgumentBytes) return false;
  if (kept_count_ < kept_.size()) {
    kept_[kept_count_++] = {static_cast<std::uint32_t>(kept_bytes_.size()), 0, number_};
  } else if (step_ != 0) {
    const bool room = further_kept_.size() + kKeptArguments < kMaxKeptArguments &&
                      kept_bytes_.size() + kKeptArgumentBytes <= kMaxKeptBytes;
    if (room) {
      further_kept_.push_back({static_cast<std::uint32_t>(kept_bytes_.size()), 0, number_});
    } else {
      step_ = 0;
    }
  }
  body_left_ = number_;
  number_ = 0;
  digits_ = 0;
  phase_ = body_left_ == 0 ? Phase::kBodyCr : Phase::kBody;
  return true;
}

const char* CommandParser::step_body(const char* at, const char* end) {
  const std::uint64_t here = std::min<std::uint64_t>(body_left_, static_cast<std::uint64_t>(end - at));
  const std::uint64_t index = arguments_total_ - arguments_left_;
  if (keeps(index)) {
    Kept& kept = index < kept_.size() ? kept_[index] : further_kept_[index - kept_.size()];
    const std::size_t room = (index == 0 ? kMaxNameBytes : kKeptArgumentBytes) - kept.size;
    const std::size_t take = std::min<std::uint64_t>(room, here);
    kept_bytes_.append(at, take);
    kept.size += static_cast<std::uint32_t>(take);
  }
  body_left_ -= here;
  if (body_left_ == 0) phase_ = Phase::kBodyCr;
  return at + here;
}

// Whether the open command's argument, its name being 0, is one that is kept.
bool CommandParser::keeps(std::uint64_t index) const {
  if (index < kept_.size()) return true;
  return step_ != 0 && index - kept_.size() < further_kept_.size() && (index - 1) % step_ == 0;
}

unsigned CommandParser::ask_step(std::uint64_t count, CommandVisitor& visitor) {
  if (count <= kKeptArguments + 1) return 0;
  return visitor.further_argument_step(std::string_view(name_.data(), name_size_));
}

void CommandParser::end_argument(CommandVisitor& visitor) {
  const auto view = [this](const Kept& kept) { return std::string_view(kept_bytes_).substr(kept.begin, kept.size); };
  if (arguments_left_ == arguments_total_) {
    set_name(view(kept_[0]));
    step_ = ask_step(arguments_total_, visitor);
  }
  if (--arguments_left_ > 0) {
    phase_ = Phase::kLengthMarker;
    return;
  }
  phase_ = Phase::kCommandStart;
  set_name(view(kept_[0]));
  std::array<Argument, kKeptArguments> arguments;
  for (std::uint32_t i = 1; i < kept_count_; ++i) arguments[i - 1] = {view(kept_[i]), kept_[i].length};
  Command command;
  command.first = command_first_;
  command.last = state_.offset;
  command.arguments = std::span<const Argument>(arguments.data(), kept_count_ - 1);
  command.argument_count = arguments_total_ - 1;
  if (!further_kept_.empty()) {
    arguments_.assign(arguments.begin(), arguments.end());
    for (const Kept& kept : further_kept_) arguments_.push_back({view(kept), kept.length});
    command.arguments = arguments_;
  }
  deliver(command, visitor);
}

void CommandParser::deliver(Command& command, CommandVisitor& visitor) {
  command.name = std::string_view(name_.data(), name_size_);
  command.database = state_.database;
  bool closes = false;
  if (command.name == "MULTI" && !state_.open_multi) {
    state_.open_multi = command.first;
  } else if (command.name == "EXEC" || command.name == "DISCARD") {
    closes = true;
  } else if (command.name == "SELECT" && command.arguments.size() == 1) {
    state_.database = database_number(command.arguments[0].kept).value_or(state_.database);
  }
  command.transaction = state_.open_multi;
  if (closes) state_.open_multi.reset();
  command.at_boundary = !state_.open_multi;
  if (command.at_boundary) state_.boundary = command.last;
  visitor.on_command(command);
  if (command.arguments.size() > kIdleArguments) let_go_of_further();
}

void CommandParser::let_go_of_further() {
  arguments_ = {};
  further_kept_ = {};
  kept_bytes_ = {};
  kept_bytes_.reserve(kKeptArguments * kKeptArgumentBytes + kMaxNameBytes);
}

void CommandParser::set_name(std::string_view name) {
  name = name.substr(0, kMaxNameBytes);
  if (name == std::string_view(name_as_sent_.data(), name_size_)) return;
  name_size_ = name.size();
  for (std::size_t i = 0; i < name_size_; ++i) {
    const char c = name_as_sent_[i] = name[i];
    name_[i] = static_cast<char>(c - (c >= 'a' && c <= 'z' ? 'a' - 'A' : 0));
  }
}

bool CommandParser::fail(std::string_view what) {
  if (!broken_) broken_ = std::string(what);
  return false;
}

std::uint64_t CommandParser::bytes_pending() const {
  switch (phase_) {
    case Phase::kCommandStart:
      return 0;
    case Phase::kEmptyLineLf:
    case Phase::kCountLf:
      return 1 + (phase_ == Phase::kCountLf ? number_ * kSmallestArgument : 0);
    case Phase::kCountDigits:
      return 2;
    case Phase::kLengthMarker:
      return arguments_left_ * kSmallestArgument;
    case Phase::kLengthDigits:
      return 4 + (arguments_left_ - 1) * kSmallestArgument;
    case Phase::kLengthLf:
      return 3 + number_ + (arguments_left_ - 1) * kSmallestArgument;
    case Phase::kBody:
    case Phase::kBodyCr:
      return body_left_ + 2 + (arguments_left_ - 1) * kSmallestArgument;
    case Phase::kBodyLf:
      return 1 + (arguments_left_ - 1) * kSmallestArgument;
  }
  return 0;
}

}  // namespace anclora::redis

// Saving and loading a CommandParser.
#include <algorithm>

#include "redis/resp/command_parser.h"

namespace anclora::redis {

Bytes CommandParser::save() const {
  ByteWriter out;
  out.varint(state_.offset.value);
  out.varint(state_.boundary.value);
  out.varint(state_.database);
  out.u8(state_.open_multi ? 1 : 0);
  out.varint(state_.open_multi.value_or(Offset{}).value);
  out.u8(static_cast<std::uint8_t>(phase_));
  if (!in_command()) return out.take();
  out.varint(command_first_.value);
  out.varint(number_);
  out.varint(digits_);
  out.varint(arguments_left_);
  out.varint(arguments_total_);
  out.varint(body_left_);
  out.varint(step_);
  out.varint(kept_count_ + further_kept_.size());
  const auto write = [&](const Kept& kept) {
    out.varint(kept.length);
    out.sized(ByteView(kept_bytes_).substr(kept.begin, kept.size));
  };
  std::for_each_n(kept_.begin(), kept_count_, write);
  std::ranges::for_each(further_kept_, write);
  return out.take();
}

Result<CommandParser> CommandParser::load(ByteView saved) {
  const Error bad(ErrorKind::kDataLoss, "the saved state of a replication stream's parser is malformed");
  ByteReader in(saved);
  CommandParser parser;
  ASSIGN_OR_RETURN(parser.state_.offset.value, in.varint());
  ASSIGN_OR_RETURN(parser.state_.boundary.value, in.varint());
  ASSIGN_OR_RETURN(const std::uint64_t database, in.varint());
  ASSIGN_OR_RETURN(const std::uint8_t has_multi, in.u8());
  ASSIGN_OR_RETURN(const std::uint64_t multi, in.varint());
  ASSIGN_OR_RETURN(const std::uint8_t phase, in.u8());
  if (phase > static_cast<std::uint8_t>(Phase::kBodyLf)) return bad;
  parser.state_.database = static_cast<std::uint32_t>(database);
  if (has_multi != 0) parser.state_.open_multi = Offset{multi};
  parser.phase_ = static_cast<Phase>(phase);
  if (!parser.in_command()) {
    RETURN_IF_ERROR(in.expect_end());
    return parser;
  }
  ASSIGN_OR_RETURN(parser.command_first_.value, in.varint());
  ASSIGN_OR_RETURN(parser.number_, in.varint());
  ASSIGN_OR_RETURN(const std::uint64_t digits, in.varint());
  parser.digits_ = static_cast<std::uint32_t>(digits);
  ASSIGN_OR_RETURN(parser.arguments_left_, in.varint());
  ASSIGN_OR_RETURN(parser.arguments_total_, in.varint());
  ASSIGN_OR_RETURN(parser.body_left_, in.varint());
  ASSIGN_OR_RETURN(const std::uint64_t step, in.varint());
  ASSIGN_OR_RETURN(const std::uint64_t kept_count, in.varint());
  parser.step_ = static_cast<unsigned>(step);
  const bool in_arguments = parser.phase_ >= Phase::kLengthMarker;
  if (kept_count > parser.kept_.size() + kMaxKeptArguments || parser.arguments_left_ > parser.arguments_total_ ||
      (in_arguments && parser.arguments_left_ == 0) || (parser.phase_ >= Phase::kBody && kept_count == 0)) {
    return bad;
  }
  for (std::uint64_t i = 0; i < kept_count; ++i) {
    const bool first = i < parser.kept_.size();
    Kept& kept = first ? parser.kept_[i] : parser.further_kept_.emplace_back();
    ASSIGN_OR_RETURN(kept.length, in.varint());
    ASSIGN_OR_RETURN(const ByteView bytes, in.sized());
    if (bytes.size() > kKeptArgumentBytes || parser.kept_bytes_.size() > kMaxKeptBytes) return bad;
    kept.begin = static_cast<std::uint32_t>(parser.kept_bytes_.size());
    kept.size = static_cast<std::uint32_t>(bytes.size());
    parser.kept_bytes_.append(bytes);
  }
  parser.kept_count_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(kept_count, parser.kept_.size()));
  RETURN_IF_ERROR(in.expect_end());
  return parser;
}

}  // namespace anclora::redis

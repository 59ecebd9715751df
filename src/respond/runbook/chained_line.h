// One line of a hash-chained journal: what journals of runs and of incidents have in common, but for the kinds of their
// records. docs/formats/run-journal.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace anclora::respond {

struct ChainedLine {
  std::string step;           // empty for the run itself
  std::uint32_t attempt = 0;  // from 1; 0 where it means nothing
  std::string actor;          // a contact's id; empty: the product
  std::string text;           // for people: reason, evidence, summary, error
  std::string request;        // the id of the person's request that this answers
  std::map<std::string, std::string> fields;
  // Set by the journal.
  std::uint64_t number = 0;  // from 1, without holes
  WallTime time;

  std::string field(std::string_view name) const;  // empty when missing
};

inline constexpr std::size_t kMaxRecordBytes = 64 * kKiB;  // a line, before it is escaped
inline constexpr std::size_t kMaxLineBytes = 256 * kKiB;   // more than escaping can make of that
inline constexpr std::size_t kMaxRecordText = 8 * kKiB;    // longer texts and values are cut, and say so

// A line without its newline. `previous` is the hash of the line before (zeros for the first); `hash` gets this line's.
std::string encode_line(const ChainedLine& line, std::string_view kind, const Hash256& previous, Hash256& hash);

struct DecodedLine {
  ChainedLine line;
  std::string kind;
  Hash256 previous{};
  Hash256 hash{};
};
// kDataLoss when it is no line or its hash does not fit its bytes; kUnsupported for a newer version.
Result<DecodedLine> decode_line(std::string_view line);

// Of a kind that this version does not know.
Error unknown_kind(std::string_view kind);

}  // namespace anclora::respond

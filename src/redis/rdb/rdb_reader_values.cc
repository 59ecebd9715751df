// How each type of value is laid out in the file, as far as it takes to step over it.
#include <algorithm>
#include <string_view>

#include "redis/rdb/rdb_reader.h"

namespace anclora::redis {
namespace {

constexpr std::size_t kStreamIdSize = 16;
constexpr std::uint8_t kStream2 = 19;
constexpr std::uint8_t kStream3 = 21;

}  // namespace

Status RdbReader::skip_value(std::uint8_t type, RdbKey& key) {
  switch (type) {
    case 0:   // string
    case 9:   // hash as zipmap
    case 10:  // list as ziplist
    case 11:  // set as intset
    case 12:  // zset as ziplist
    case 13:  // hash as ziplist
    case 16:  // hash as listpack
    case 17:  // zset as listpack
    case 20:  // set as listpack
      return skip_string();
    case 1:   // list
    case 2:   // set
    case 14:  // list of ziplists
      return skip_strings(1);
    case 4:  // hash
      return skip_strings(2);
    case 3:
      return skip_sorted_set(false);
    case 5:
      return skip_sorted_set(true);
    case 7:
      return [&]() -> Status {
        ASSIGN_OR_RETURN(const std::uint64_t module, plain_length());
        note_module(module);
        return skip_module_value();
      }();
    case 15:
    case kStream2:
    case kStream3:
      return skip_stream(type);
    case 18:
      return skip_quicklist2();
    case 22:
    case 23:
    case 24:
    case 25:
      return skip_hash_with_expiries(type, key);
    default:
      return Error(ErrorKind::kUnsupported, "a value of type " + std::to_string(type) + " at byte " +
                                                std::to_string(key.file_offset) +
                                                " cannot be stepped over without its module");
  }
}

Status RdbReader::skip_strings(std::uint64_t per_item) {
  ASSIGN_OR_RETURN(const std::uint64_t items, plain_length());
  for (std::uint64_t i = 0; i < items; ++i)
    for (std::uint64_t part = 0; part < per_item; ++part) RETURN_IF_ERROR(skip_string());
  return {};
}

Status RdbReader::skip_sorted_set(bool binary_scores) {
  constexpr std::uint64_t kFirstSpecialScore = 253;  // 253 NaN, 254 and 255 the infinities: no text follows
  ASSIGN_OR_RETURN(const std::uint64_t items, plain_length());
  for (std::uint64_t i = 0; i < items; ++i) {
    RETURN_IF_ERROR(skip_string());
    if (binary_scores) {
      RETURN_IF_ERROR(skip(8));
      continue;
    }
    ASSIGN_OR_RETURN(const std::uint64_t size, fixed(1));
    if (size < kFirstSpecialScore) RETURN_IF_ERROR(skip(size));
  }
  return {};
}

Status RdbReader::skip_hash_with_expiries(std::uint8_t type, RdbKey& key) {
  key.has_field_expiries = true;
  if (magic_.valkey) {
    // Valkey 80, type 22: field, value and an absolute time, -1 for none.
    if (type != 22) return malformed("a hash of Redis's kind in a file of Valkey", key.file_offset);
    ASSIGN_OR_RETURN(const std::uint64_t fields, plain_length());
    for (std::uint64_t i = 0; i < fields; ++i) {
      RETURN_IF_ERROR(skip_string());
      RETURN_IF_ERROR(skip_string());
      RETURN_IF_ERROR(skip(8));
    }
    return {};
  }
  if (type >= 24) RETURN_IF_ERROR(skip(8));  // the earliest expiry of all fields
  if (type == 23 || type == 25) return skip_string();
  ASSIGN_OR_RETURN(const std::uint64_t fields, plain_length());
  for (std::uint64_t i = 0; i < fields; ++i) {
    RETURN_IF_ERROR(skip_lengths(1));
    RETURN_IF_ERROR(skip_string());
    RETURN_IF_ERROR(skip_string());
  }
  return {};
}

Status RdbReader::skip_quicklist2() {
  ASSIGN_OR_RETURN(const std::uint64_t nodes, plain_length());
  for (std::uint64_t i = 0; i < nodes; ++i) {
    RETURN_IF_ERROR(skip_lengths(1));  // plain or packed
    RETURN_IF_ERROR(skip_string());
  }
  return {};
}

Status RdbReader::skip_module_value() {
  while (true) {
    const std::uint64_t begin = offset();
    ASSIGN_OR_RETURN(const std::uint64_t part, plain_length());
    switch (part) {
      case 0:
        return {};
      case 1:  // signed integer
      case 2:  // unsigned integer
        RETURN_IF_ERROR(skip_lengths(1));
        break;
      case 3:  // float
        RETURN_IF_ERROR(skip(4));
        break;
      case 4:  // double
        RETURN_IF_ERROR(skip(8));
        break;
      case 5:
        RETURN_IF_ERROR(skip_string());
        break;
      default:
        return malformed("an unknown part of a module's value", begin);
    }
  }
}

Status RdbReader::skip_stream(std::uint8_t type) {
  RETURN_IF_ERROR(skip_strings(2));                        // first id and listpack of each node
  RETURN_IF_ERROR(skip_lengths(3));                        // entries, last id
  if (type >= kStream2) RETURN_IF_ERROR(skip_lengths(5));  // first id, largest deleted id, entries ever added
  ASSIGN_OR_RETURN(const std::uint64_t groups, plain_length());
  for (std::uint64_t i = 0; i < groups; ++i) RETURN_IF_ERROR(skip_stream_group(type));
  return {};
}

Status RdbReader::skip_stream_group(std::uint8_t type) {
  RETURN_IF_ERROR(skip_string());                          // name
  RETURN_IF_ERROR(skip_lengths(2));                        // last id delivered
  if (type >= kStream2) RETURN_IF_ERROR(skip_lengths(1));  // entries read
  ASSIGN_OR_RETURN(const std::uint64_t pending, plain_length());
  for (std::uint64_t i = 0; i < pending; ++i) {
    RETURN_IF_ERROR(skip(kStreamIdSize + 8));  // and the time of delivery
    RETURN_IF_ERROR(skip_lengths(1));          // deliveries
  }
  ASSIGN_OR_RETURN(const std::uint64_t consumers, plain_length());
  for (std::uint64_t i = 0; i < consumers; ++i) {
    RETURN_IF_ERROR(skip_string());
    RETURN_IF_ERROR(skip(type >= kStream3 ? 16 : 8));  // seen, and from type 21 on active
    ASSIGN_OR_RETURN(const std::uint64_t owned, plain_length());
    for (std::uint64_t j = 0; j < owned; ++j) RETURN_IF_ERROR(skip(kStreamIdSize));
  }
  return {};
}

void RdbReader::note_module(std::uint64_t id) {
  // Nine characters of six bits each, then ten bits of encoding version.
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr std::size_t kLimit = 1000;
  std::string name;
  for (unsigned shift = 58; name.size() < 9; shift -= 6) name.push_back(kAlphabet[(id >> shift) & 63]);
  if (modules_.size() < kLimit && std::find(modules_.begin(), modules_.end(), name) == modules_.end())
    modules_.push_back(std::move(name));
}

}  // namespace anclora::redis

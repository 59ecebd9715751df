// Walks the keys of an RDB file one after another: RDB versions 1 to 12 and what later ones have in common with them,
// Valkey 80 included. Values are stepped over, not decoded. Memory is one buffer and one key name, whatever the file
// claims: a length that the file does not honour is found by reading on, not by allocating.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "redis/byte_source.h"
#include "redis/rdb/rdb_format.h"

namespace anclora::redis {

struct RdbKey {
  std::uint64_t database = 0;
  // At most kRdbKeyNameLimit bytes; a longer name is cut there, or empty if it was compressed.
  Bytes name;
  std::uint64_t name_size = 0;
  std::uint8_t type = 0;                      // as in the file; see rdb_type_name()
  std::optional<std::int64_t> expires_at_ms;  // Unix time
  bool has_field_expiries = false;            // a hash some of whose fields expire
  std::uint64_t file_offset = 0;              // of the type byte
  std::uint64_t value_size_bytes = 0;         // in the file
  bool name_is_whole() const { return name.size() == name_size; }
};
inline constexpr std::size_t kRdbKeyNameLimit = 64 * kKiB;

// One thread at a time.
class RdbReader {
 public:
  // `input` outlives the reader.
  explicit RdbReader(ByteSource& input);

  // The next key, or nothing once the end mark is read and the checksum judged. kDataLoss: not an RDB, cut, malformed
  // or a wrong checksum; kUnsupported: an opcode or value type that this version does not know. Both name the offset.
  // After an error every call answers it again.
  Result<std::optional<RdbKey>> next();

  // Set once the first next() has answered.
  const RdbMagic& magic() const { return magic_; }
  // Complete after the last key.
  const RdbAux& aux() const { return aux_; }
  RdbChecksum checksum() const { return checksum_; }
  std::uint64_t functions() const { return functions_; }
  // Names of the module types with data of their own or values, each once.
  const std::vector<std::string>& modules() const { return modules_; }
  std::uint64_t offset() const { return buffer_offset_ + at_; }
  // Does the input go on after the end of the RDB, as an AOF with an RDB head does?
  Result<bool> has_more();

 private:
  struct Length {
    std::uint64_t value = 0;
    bool encoded = false;
  };

  Result<std::optional<RdbKey>> read_next();
  Status read_magic();
  Status read_end();
  Result<RdbKey> read_key(std::uint8_t type, std::uint64_t type_offset);
  Status skip_opcode(std::uint8_t opcode);
  Status read_aux();

  // Makes `size` bytes (at most the buffer) readable at buffer_[at_].
  Status need(std::size_t size);
  Result<std::uint64_t> fixed(std::size_t width);
  Status skip(std::uint64_t size);
  Result<Length> length();
  Result<std::uint64_t> plain_length();
  Status skip_lengths(int count);
  Status skip_string();
  // At most `limit` bytes of it in `out`; answers its true size.
  Result<std::uint64_t> read_string(Bytes& out, std::size_t limit);

  Status skip_value(std::uint8_t type, RdbKey& key);
  Status skip_strings(std::uint64_t per_item);
  Status skip_sorted_set(bool binary_scores);
  Status skip_hash_with_expiries(std::uint8_t type, RdbKey& key);
  Status skip_quicklist2();
  Status skip_module_value();
  Status skip_stream(std::uint8_t type);
  Status skip_stream_group(std::uint8_t type);
  void note_module(std::uint64_t id);

  Error malformed(std::string_view what, std::uint64_t at) const;
  void settle_checksum();

  ByteSource& input_;
  Bytes buffer_;
  std::size_t at_ = 0;               // next byte in buffer_
  std::size_t summed_ = 0;           // bytes of buffer_ that crc_ covers
  std::uint64_t buffer_offset_ = 0;  // of buffer_[0] in the file
  std::uint64_t crc_ = 0;
  RdbMagic magic_;
  RdbAux aux_;
  RdbChecksum checksum_ = RdbChecksum::kNone;
  std::uint64_t database_ = 0;
  std::optional<std::int64_t> expires_at_ms_;
  std::uint64_t functions_ = 0;
  std::vector<std::string> modules_;
  bool started_ = false;
  bool ended_ = false;
  std::optional<Error> failure_;
};

}  // namespace anclora::redis

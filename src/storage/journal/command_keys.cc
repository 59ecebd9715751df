#include "storage/journal/command_keys.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/whole_number.h"

namespace anclora::storage {
namespace {

// From the COMMAND tables of Redis 7.0 to 8.x: whatever writes, or stands in a stream without writing.
constexpr auto kTable = std::to_array<CommandFacts>({
    {"", KeyRule::kUnknown},
    // The link, transactions, scripts, messages.
    {"PING", KeyRule::kNone},
    {"SELECT", KeyRule::kNone},
    {"REPLCONF", KeyRule::kNone},
    {"MULTI", KeyRule::kNone},
    {"EXEC", KeyRule::kNone},
    {"DISCARD", KeyRule::kNone},
    {"PUBLISH", KeyRule::kNone},
    {"SPUBLISH", KeyRule::kNone},
    {"FUNCTION", KeyRule::kNone},
    {"SCRIPT", KeyRule::kNone},
    {"FLUSHALL", KeyRule::kNone},
    {"FLUSHDB", KeyRule::kNone},
    {"SWAPDB", KeyRule::kNone},
    {"EVAL", KeyRule::kCountSecond},
    {"EVALSHA", KeyRule::kCountSecond},
    {"FCALL", KeyRule::kCountSecond},
    // Any key.
    {"DEL", KeyRule::kAll},
    {"UNLINK", KeyRule::kAll},
    {"TOUCH", KeyRule::kAll},
    {"DELEX", KeyRule::kFirst},
    {"EXPIRE", KeyRule::kFirst},
    {"PEXPIRE", KeyRule::kFirst},
    {"EXPIREAT", KeyRule::kFirst},
    {"PEXPIREAT", KeyRule::kFirst},
    {"PERSIST", KeyRule::kFirst},
    {"MOVE", KeyRule::kFirst},
    {"RENAME", KeyRule::kFirstTwo},
    {"RENAMENX", KeyRule::kFirstTwo},
    {"COPY", KeyRule::kFirstTwo},
    {"RESTORE", KeyRule::kFirst},
    {"RESTORE-ASKING", KeyRule::kFirst},
    {"SORT", KeyRule::kFirstAndStore},
    // Strings.
    {"SET", KeyRule::kFirst},
    {"SETNX", KeyRule::kFirst},
    {"SETEX", KeyRule::kFirst},
    {"PSETEX", KeyRule::kFirst},
    {"GETSET", KeyRule::kFirst},
    {"GETDEL", KeyRule::kFirst},
    {"GETEX", KeyRule::kFirst},
    {"APPEND", KeyRule::kFirst},
    {"SETRANGE", KeyRule::kFirst},
    {"INCR", KeyRule::kFirst},
    {"INCRBY", KeyRule::kFirst},
    {"INCRBYFLOAT", KeyRule::kFirst},
    {"DECR", KeyRule::kFirst},
    {"DECRBY", KeyRule::kFirst},
    {"MSET", KeyRule::kEveryOther},
    {"MSETNX", KeyRule::kEveryOther},
    {"SETBIT", KeyRule::kFirst},
    {"BITFIELD", KeyRule::kFirst},
    {"BITOP", KeyRule::kAllButFirst},
    {"PFADD", KeyRule::kFirst},
    {"PFMERGE", KeyRule::kAll},
    // Hashes.
    {"HSET", KeyRule::kFirst},
    {"HMSET", KeyRule::kFirst},
    {"HSETNX", KeyRule::kFirst},
    {"HDEL", KeyRule::kFirst},
    {"HINCRBY", KeyRule::kFirst},
    {"HINCRBYFLOAT", KeyRule::kFirst},
    {"HEXPIRE", KeyRule::kFirst},
    {"HPEXPIRE", KeyRule::kFirst},
    {"HEXPIREAT", KeyRule::kFirst},
    {"HPEXPIREAT", KeyRule::kFirst},
    {"HPERSIST", KeyRule::kFirst},
    {"HSETEX", KeyRule::kFirst},
    {"HGETEX", KeyRule::kFirst},
    {"HGETDEL", KeyRule::kFirst},
    // Lists.
    {"LPUSH", KeyRule::kFirst},
    {"RPUSH", KeyRule::kFirst},
    {"LPUSHX", KeyRule::kFirst},
    {"RPUSHX", KeyRule::kFirst},
    {"LPOP", KeyRule::kFirst},
    {"RPOP", KeyRule::kFirst},
    {"LREM", KeyRule::kFirst},
    {"LTRIM", KeyRule::kFirst},
    {"LSET", KeyRule::kFirst},
    {"LINSERT", KeyRule::kFirst},
    {"RPOPLPUSH", KeyRule::kFirstTwo},
    {"BRPOPLPUSH", KeyRule::kFirstTwo},
    {"LMOVE", KeyRule::kFirstTwo},
    {"BLMOVE", KeyRule::kFirstTwo},
    {"LMPOP", KeyRule::kCountFirst},
    {"BLMPOP", KeyRule::kCountSecond},
    // Sets.
    {"SADD", KeyRule::kFirst},
    {"SREM", KeyRule::kFirst},
    {"SPOP", KeyRule::kFirst},
    {"SMOVE", KeyRule::kFirstTwo},
    {"SINTERSTORE", KeyRule::kAll},
    {"SUNIONSTORE", KeyRule::kAll},
    {"SDIFFSTORE", KeyRule::kAll},
    // Sorted sets and places.
    {"ZADD", KeyRule::kFirst},
    {"ZINCRBY", KeyRule::kFirst},
    {"ZREM", KeyRule::kFirst},
    {"ZREMRANGEBYSCORE", KeyRule::kFirst},
    {"ZREMRANGEBYRANK", KeyRule::kFirst},
    {"ZREMRANGEBYLEX", KeyRule::kFirst},
    {"ZPOPMIN", KeyRule::kFirst},
    {"ZPOPMAX", KeyRule::kFirst},
    {"ZMPOP", KeyRule::kCountFirst},
    {"BZMPOP", KeyRule::kCountSecond},
    {"ZRANGESTORE", KeyRule::kFirstTwo},
    {"ZUNIONSTORE", KeyRule::kDestinationThenCount},
    {"ZINTERSTORE", KeyRule::kDestinationThenCount},
    {"ZDIFFSTORE", KeyRule::kDestinationThenCount},
    {"GEOADD", KeyRule::kFirst},
    {"GEOSEARCHSTORE", KeyRule::kFirstTwo},
    {"GEORADIUS", KeyRule::kFirstAndStore},
    {"GEORADIUSBYMEMBER", KeyRule::kFirstAndStore},
    // Streams.
    {"XADD", KeyRule::kFirst},
    {"XDEL", KeyRule::kFirst},
    {"XDELEX", KeyRule::kFirst},
    {"XTRIM", KeyRule::kFirst},
    {"XACK", KeyRule::kFirst},
    {"XACKDEL", KeyRule::kFirst},
    {"XCLAIM", KeyRule::kFirst},
    {"XAUTOCLAIM", KeyRule::kFirst},
    {"XSETID", KeyRule::kFirst},
    {"XGROUP", KeyRule::kSecond},
});

constexpr std::size_t kSlots = 1024;
static_assert(kTable.size() * 4 < kSlots && kTable.size() < 256);

constexpr std::uint64_t word_of(std::string_view text) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8 && i < text.size(); ++i)
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << (8 * i);
  return word;
}

constexpr std::size_t slot_of(std::string_view name) {
  const std::uint64_t head = word_of(name);
  const std::uint64_t tail = name.size() > 8 ? word_of(name.substr(name.size() - 8)) : 0;
  return static_cast<std::size_t>(((head ^ (tail * 31) ^ name.size()) * 0x9e3779b97f4a7c15) >> 54);
}
static_assert(kSlots == std::size_t{1} << (64 - 54));

constexpr std::array<std::uint8_t, kSlots> build_slots() {
  std::array<std::uint8_t, kSlots> slots{};
  for (std::size_t place = 1; place < kTable.size(); ++place) {
    std::size_t slot = slot_of(kTable[place].name);
    while (slots[slot] != 0) slot = (slot + 1) % kSlots;
    slots[slot] = static_cast<std::uint8_t>(place);
  }
  return slots;
}

constexpr std::array<std::uint8_t, kSlots> kSlotTable = build_slots();

bool equals_upper(std::string_view text, std::string_view upper) {
  return text.size() == upper.size() && std::equal(text.begin(), text.end(), upper.begin(), [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
         });
}

}  // namespace

std::size_t find_command(std::string_view name) {
  for (std::size_t slot = slot_of(name); kSlotTable[slot] != 0; slot = (slot + 1) % kSlots) {
    const std::size_t place = kSlotTable[slot];
    if (kTable[place].name == name) return place;
  }
  return kUnknownCommand;
}

const CommandFacts& command_facts(std::size_t place) { return kTable.at(place); }
std::size_t command_table_size() { return kTable.size(); }

unsigned key_argument_step(KeyRule rule) {
  switch (rule) {
    case KeyRule::kUnknown:
    case KeyRule::kNone:
    case KeyRule::kFirst:
    case KeyRule::kSecond:
    case KeyRule::kFirstTwo:
      return 0;
    case KeyRule::kEveryOther:
      return 2;
    case KeyRule::kAll:
    case KeyRule::kAllButFirst:
    case KeyRule::kCountFirst:
    case KeyRule::kCountSecond:
    case KeyRule::kDestinationThenCount:
    case KeyRule::kFirstAndStore:
      return 1;
  }
  return 0;
}

KeyPlaces counted_key_places(const CommandView& command, std::size_t count_at) {
  if (count_at >= command.arguments.size()) return {0, 0, 1, false};
  const auto count = whole_number<std::uint32_t>(command.arguments[count_at]);
  if (!count) return {0, 0, 1, false};
  return {count_at + 1, count_at + 1 + std::uint64_t{*count}, 1, true};
}

KeyPlaces stored_key_place(const CommandView& command) {
  for (std::size_t at = 1; at + 1 < command.arguments.size(); ++at) {
    if (equals_upper(command.arguments[at], "STORE") || equals_upper(command.arguments[at], "STOREDIST"))
      return {at + 1, at + 2, 1, true};
  }
  return {0, 0, 1, command.arguments.size() == command.argument_count};
}

}  // namespace anclora::storage

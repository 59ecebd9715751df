#include "storage/journal/command_keys.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anclora::storage {
namespace {

struct Keys {
  std::vector<std::string> keys;
  bool all = false;
};

// The keys of a command given as words; `there` limits how many arguments are handed in.
Keys keys_of(const std::string& line, std::size_t there = 1000) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t space = std::min(line.find(' ', at), line.size());
    words.emplace_back(std::string_view(line).substr(at, space - at));
    at = space + 1;
  }
  CommandView command;
  command.name = words[0];
  command.argument_count = words.size() - 1;
  command.arguments = std::span<const std::string_view>(words).subspan(1, std::min(there, words.size() - 1));
  Keys result;
  const KeyRule rule = command_facts(find_command(command.name)).keys;
  result.all = for_each_key(rule, command, [&](std::string_view key) { result.keys.emplace_back(key); });
  return result;
}

void expect_keys(const std::string& line, const std::vector<std::string>& keys) {
  const Keys found = keys_of(line);
  EXPECT_EQ(found.keys, keys) << line;
  EXPECT_TRUE(found.all) << line;
}

TEST(CommandKeys, AreFoundInCommandsOfAReplicationStream) {
  expect_keys("SET k v PXAT 1", {"k"});
  expect_keys("DEL a b c", {"a", "b", "c"});
  expect_keys("MSET a 1 b 2", {"a", "b"});
  expect_keys("RENAME a b", {"a", "b"});
  expect_keys("COPY a b DB 3", {"a", "b"});
  expect_keys("LMOVE a b LEFT RIGHT", {"a", "b"});
  expect_keys("SMOVE a b member", {"a", "b"});
  expect_keys("HMSET h f v", {"h"});
  expect_keys("XCLAIM s g c 0 1-1 FORCE JUSTID", {"s"});
  expect_keys("XGROUP CREATE s g $ MKSTREAM", {"s"});
  expect_keys("SINTERSTORE d a b", {"d", "a", "b"});
  expect_keys("ZUNIONSTORE d 2 a b WEIGHTS 1 2", {"d", "a", "b"});
  expect_keys("EVAL script 2 a b arg", {"a", "b"});
  expect_keys("EVAL script 0", {});
  expect_keys("FCALL f 1 a arg", {"a"});
  expect_keys("BITOP AND d a b", {"d", "a", "b"});
  expect_keys("SORT l BY w STORE d", {"l", "d"});
  expect_keys("SORT l ALPHA", {"l"});
  expect_keys("GEORADIUS g 1 2 3 km store d", {"g", "d"});
  expect_keys("GEOSEARCHSTORE d g FROMLONLAT 1 2", {"d", "g"});
  expect_keys("PFMERGE d a", {"d", "a"});
}

TEST(CommandKeys, AreAbsentWhereACommandHasNone) {
  for (const char* line : {"PING", "SELECT 3", "MULTI", "EXEC", "PUBLISH channel message", "FUNCTION LOAD code",
                           "REPLCONF GETACK *", "FLUSHALL", "SWAPDB 0 1"})
    expect_keys(line, {});
}

TEST(CommandKeys, AreSaidToBeUnknownRatherThanGuessed) {
  EXPECT_FALSE(keys_of("NEWCOMMAND k v").all);
  EXPECT_FALSE(keys_of("EVAL script many a").all);
  EXPECT_FALSE(keys_of("EVAL script").all);
  EXPECT_FALSE(keys_of("DEL a b c", 2).all);
  EXPECT_EQ(keys_of("DEL a b c", 2).keys.size(), 2u);
  EXPECT_FALSE(keys_of("MSET a 1 b 2", 2).all);
  EXPECT_TRUE(keys_of("MSET a 1 b 2", 3).all);
  EXPECT_TRUE(keys_of("HMSET h f v", 1).all);
  EXPECT_FALSE(keys_of("SORT l BY w STORE d", 3).all);
}

TEST(CommandKeys, FindsEveryCommandOfItsTable) {
  for (std::size_t place = 1; place < command_table_size(); ++place)
    EXPECT_EQ(find_command(command_facts(place).name), place) << command_facts(place).name;
  for (const char* name : {"", "S", "SETS", "set", "ZREMRANGEBYSCOREX", "AREALLYLONGCOMMANDNAMETHATNOBODYKNOWS"})
    EXPECT_EQ(find_command(name), kUnknownCommand) << name;
}

}  // namespace
}  // namespace anclora::storage

#include "storage/journal/key_filter.h"

#include <gtest/gtest.h>

namespace anclora::storage {
namespace {

std::string job_key(int id) { return "bull:whatsapp:" + std::to_string(id); }

TEST(KeyFilter, NeverDeniesAKeyThatWasAdded) {
  KeyFilterBuilder builder;
  for (int id = 0; id < 50000; ++id) builder.add(job_key(id));
  const Bytes filter = builder.take();
  EXPECT_TRUE(is_valid_key_filter(filter));
  for (int id = 0; id < 50000; ++id) ASSERT_TRUE(key_filter_may_contain(filter, job_key(id))) << id;
}

TEST(KeyFilter, ErrsInAboutOneCaseInAHundred) {
  for (const int keys : {100, 5000, 49000, 700000}) {
    KeyFilterBuilder builder;
    for (int id = 0; id < keys; ++id) builder.add(job_key(id));
    const Bytes filter = builder.take();
    int wrong = 0;
    for (int id = 1000000; id < 1020000; ++id) wrong += key_filter_may_contain(filter, job_key(id)) ? 1 : 0;
    EXPECT_LT(wrong, 300) << keys << " keys, " << filter.size() << " bytes";
  }
}

TEST(KeyFilter, KnowsPrefixesThatEndInAColon) {
  KeyFilterBuilder builder;
  builder.add("bull:whatsapp:17:lock");
  const Bytes filter = builder.take();
  for (const std::string_view prefix : {"bull:", "bull:whatsapp:", "bull:whatsapp:17:"})
    EXPECT_TRUE(key_filter_may_contain(filter, prefix)) << prefix;
  EXPECT_FALSE(key_filter_may_contain(filter, "bull:mail:"));
  EXPECT_FALSE(key_filter_may_contain(filter, "bull"));
}

TEST(KeyFilter, HasASizeThatFitsItsKeys) {
  KeyFilterBuilder builder;
  EXPECT_TRUE(builder.take().empty());
  builder.add("k");
  EXPECT_EQ(builder.take().size(), kKeyFilterBlockBytes);
  for (int id = 0; id < 20000; ++id) builder.add(std::to_string(id));
  const std::size_t size = builder.take().size();
  EXPECT_GE(size, 20000u * 12 / 8);
  EXPECT_LE(size, 20000u * 24 / 8);
}

TEST(KeyFilter, StartsAfreshAfterItWasTaken) {
  KeyFilterBuilder builder;
  builder.add("old");
  builder.take();
  builder.add("new");
  const Bytes filter = builder.take();
  EXPECT_TRUE(key_filter_may_contain(filter, "new"));
  EXPECT_FALSE(key_filter_may_contain(filter, "old"));
}

TEST(KeyFilter, TakesOddKeys) {
  KeyFilterBuilder builder;
  const std::string deep(200, ':');
  const std::string longer = std::string(600, 'x') + "end";
  const std::string binary("a\0b:\xff", 5);
  for (const std::string& key : {std::string(), deep, longer, binary}) builder.add(key);
  const Bytes filter = builder.take();
  for (const std::string& key : {std::string(), deep, longer, binary}) EXPECT_TRUE(key_filter_may_contain(filter, key));
  EXPECT_TRUE(key_filter_may_contain(filter, longer.substr(0, 512)));  // as a parser that cuts arguments gives it
  EXPECT_FALSE(key_filter_may_contain({}, ""));
}

TEST(KeyFilter, TellsKeysApartThatDifferOnlyInZeros) {
  KeyFilterBuilder builder;
  builder.add("a");
  EXPECT_FALSE(key_filter_may_contain(builder.take(), std::string("a\0", 2)));
}

TEST(KeyFilter, StaysWithinItsLimit) {
  KeyFilterBuilder builder;
  for (int id = 0; id < 3600000; ++id) builder.add(std::to_string(id));
  const Bytes filter = builder.take();
  EXPECT_EQ(filter.size(), kMaxKeyFilterBytes);
  EXPECT_TRUE(key_filter_may_contain(filter, "3599999"));
}

TEST(KeyHashes, MakeTheSameFilterAsTheKeysThemselves) {
  const std::vector<std::string> keys = {"bull:q:1",
                                         "bull:q:2",
                                         "bull:q:",
                                         "bull:q:2:lock",
                                         "bull:q:3",
                                         "other",
                                         "",
                                         ":",
                                         "::",
                                         "a:b:c:d:e",
                                         "a:b:c:d:f",
                                         "a:b:x",
                                         "bull:q",
                                         "bull:q:1",
                                         "a:b:c:d:e",
                                         "bull:r:1",
                                         std::string(600, 'x') + ":1",
                                         std::string(40, ':') + "1",
                                         std::string(40, ':') + "2",
                                         std::string(16, ':') + "y",
                                         std::string(15, ':') + "z"};
  KeyHashes hashes;
  for (int round = 0; round < 2; ++round) {
    KeyFilterBuilder whole, collected;
    for (const std::string& key : keys) {
      whole.add(key);
      hashes.add(key);
    }
    for (const std::uint64_t hash : hashes.take()) collected.add_hash(hash);
    EXPECT_EQ(collected.take(), whole.take());
  }
}

TEST(KeyFilter, AcceptsOnlySizesThatItWrites) {
  EXPECT_TRUE(is_valid_key_filter({}));
  EXPECT_TRUE(is_valid_key_filter(Bytes(64, 'x')));
  EXPECT_FALSE(is_valid_key_filter(Bytes(32, 'x')));
  EXPECT_FALSE(is_valid_key_filter(Bytes(65, 'x')));
  EXPECT_FALSE(is_valid_key_filter(Bytes(192, 'x')));
  EXPECT_FALSE(is_valid_key_filter(Bytes(2 * kMaxKeyFilterBytes, 'x')));
}

}  // namespace
}  // namespace anclora::storage

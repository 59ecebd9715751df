#include "redis/replication/mark_finder.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace anclora::redis {
namespace {

// Feeds `bytes` in chunks; answers {before the mark, after the mark} or nothing.
std::optional<std::pair<Bytes, Bytes>> split(const Bytes& mark, const Bytes& bytes, SeededRandom& random,
                                             std::size_t most) {
  MarkFinder finder(mark);
  Bytes before;
  for (std::size_t at = 0; at < bytes.size();) {
    const ByteView chunk = ByteView(bytes).substr(at, 1 + random.below(most));
    const auto end = finder.feed(chunk, [&](ByteView view) { before.append(view); });
    if (end) return std::pair(before, bytes.substr(at + *end));
    at += chunk.size();
  }
  return std::nullopt;
}

TEST(MarkFinder, FindsTheMarkWhereverTheReadsCutIt) {
  SeededRandom random(7);
  // A mark of few letters, and data full of its beginnings.
  const Bytes mark = "aabaabaabaabaabaabaabaabaabaabaabaabaabc";
  ASSERT_EQ(mark.size(), MarkFinder::kMarkBytes);
  for (int round = 0; round < 4000; ++round) {
    Bytes base;
    while (base.size() < random.below(300)) base += mark.substr(0, random.below(mark.size()));
    const Bytes stream = random.bytes(random.below(60));
    const auto parts = split(mark, base + mark + stream, random, round % 2 == 0 ? 5 : 200);
    ASSERT_TRUE(parts.has_value()) << round;
    EXPECT_EQ(parts->first, base) << round;
    EXPECT_EQ(parts->second, stream) << round;
  }
}

TEST(MarkFinder, FindsAMarkThatComesAtOnce) {
  SeededRandom random(1);
  const Bytes mark(40, 'm');
  const auto parts = split(mark, mark, random, 40);
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->first + parts->second, "");
}

TEST(MarkFinder, FindsNothingInAMarkThatIsCutShort) {
  SeededRandom random(1);
  const Bytes mark(40, 'm');
  EXPECT_FALSE(split(mark, "data" + mark.substr(1), random, 3).has_value());
}

}  // namespace
}  // namespace anclora::redis

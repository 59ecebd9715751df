#include "redis/scratch/replication_errors.h"

#include <gtest/gtest.h>

namespace anclora::redis {
namespace {

constexpr std::string_view kHead =
    "7:S 30 Nov 2026 03:00:44.183 # == CRITICAL == This replica is sending an error to its ";

std::string first(std::string_view rest) {
  return first_replication_error(std::string("7:S * Ready\n").append(kHead).append(rest)).value_or("nothing");
}

TEST(ReplicationErrors, AreQuotedWithoutKeysAndValues) {
  EXPECT_EQ(
      first("master: 'ERR unknown command 'HSETEX', with args beginning with: 'k' 'v' ' after processing the command "
            "'set'\n7:S # == CRITICAL == This replica is sending an error to its master: 'other' after"),
      "unknown command 'HSETEX'");
  EXPECT_EQ(first("master: 'unknown command 'HSETEX', with args beginning with: 'k'' after"),
            "unknown command 'HSETEX'");
  EXPECT_EQ(first("primary: '-WRONGTYPE Operation against a key' after processing the command 'lpush'\n"),
            "WRONGTYPE Operation against a key");
}

TEST(ReplicationErrors, OfALogThatIsCutOrTellsNoneAreTakenAsTheyAre) {
  EXPECT_EQ(first("master: 'ERR syn"), "syn");
  EXPECT_EQ(first("master"), "nothing");
  EXPECT_EQ(first("master: '" + std::string(5000, 'x')), std::string(100, 'x'));
  EXPECT_FALSE(first_replication_error("7:S * Ready to accept connections\n").has_value());
}

}  // namespace
}  // namespace anclora::redis

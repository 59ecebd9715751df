#include "storage/journal/key_prefix.h"

#include <gtest/gtest.h>

namespace anclora::storage {
namespace {

TEST(KeyPrefix, EndsBeforeTheLastSegment) {
  EXPECT_EQ(key_prefix("bull:mail:wait"), "bull:mail:");
  EXPECT_EQ(key_prefix("bull:mail:"), "bull:mail:");
  EXPECT_EQ(key_prefix("alone"), "");
  EXPECT_EQ(key_prefix(""), "");
  EXPECT_EQ(key_prefix(":"), ":");
  EXPECT_EQ(key_prefix("::x"), "::");
}

TEST(KeyPrefix, EndsBeforeTheFirstIdentifier) {
  EXPECT_EQ(key_prefix("bull:mail:42"), "bull:mail:");
  EXPECT_EQ(key_prefix("bull:mail:42:lock"), "bull:mail:");
  EXPECT_EQ(key_prefix("bull:mail:order-99812:logs"), "bull:mail:");
  EXPECT_EQ(key_prefix("bull:mail:0b1f6c1e-9d3a-4e55-a0a1-5b8a4ff0c7d2:lock"), "bull:mail:");
  EXPECT_EQ(key_prefix("bull:mail:repeat:c29fbd80aeb4aa0d3c1d0b1c1f1a2b3c:1767225600000"), "bull:mail:repeat:");
  EXPECT_EQ(key_prefix("7:profile"), "");
}

TEST(KeyPrefix, KeepsNamesWithANumber) {
  EXPECT_EQ(key_prefix("v2:queue1:eu-west-1:x"), "v2:queue1:eu-west-1:");
  EXPECT_EQ(key_prefix("app:whatsapp-messages-2:wait"), "app:whatsapp-messages-2:");
}

}  // namespace
}  // namespace anclora::storage

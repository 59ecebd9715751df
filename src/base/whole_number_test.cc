#include "base/whole_number.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace anclora {
namespace {

TEST(WholeNumber, TakesATextThatIsANumberFromEndToEnd) {
  EXPECT_EQ(whole_number<std::uint32_t>("0"), 0U);
  EXPECT_EQ(whole_number<std::uint32_t>("0042"), 42U);
  EXPECT_EQ(whole_number<std::uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(whole_number<std::int64_t>("-7"), -7);
  EXPECT_EQ(whole_number<std::uint32_t>(std::string_view("123").substr(0, 2)), 12U);
}

TEST(WholeNumber, RefusesWhatIsNoneOrDoesNotFit) {
  for (const std::string_view text : {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "1e3", "one"})
    EXPECT_FALSE(whole_number<std::uint64_t>(text)) << "\"" << text << "\"";
  EXPECT_FALSE(whole_number<std::uint64_t>(std::string_view()));
  EXPECT_FALSE(whole_number<std::uint64_t>(std::string_view("1\0", 2)));
  EXPECT_FALSE(whole_number<std::uint16_t>("65536"));
  EXPECT_FALSE(whole_number<std::int64_t>("9223372036854775808"));
}

}  // namespace
}  // namespace anclora

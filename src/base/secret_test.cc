#include "base/secret.h"

#include <gtest/gtest.h>

#include <ostream>

namespace anclora {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<Secret>);

TEST(Secret, IsEmptyAfterAMove) {
  Secret from("short");
  const Secret to(std::move(from));
  EXPECT_TRUE(from.empty());  // NOLINT: the moved-from value is what is tested
  EXPECT_EQ(to.reveal(), "short");
}

TEST(Secret, AssignsAndCopies) {
  Secret a("one");
  const Secret b(std::string(100, 'x'));
  a = b;
  EXPECT_EQ(a.reveal(), b.reveal());
  a = Secret("two");
  EXPECT_EQ(a.reveal(), "two");
}

TEST(Secret, ComparesByValue) {
  EXPECT_TRUE(Secret("abc").equals(Secret("abc")));
  EXPECT_FALSE(Secret("abc").equals(Secret("abd")));
  EXPECT_FALSE(Secret("abc").equals(Secret("abcd")));
  EXPECT_TRUE(Secret().equals(Secret()));
}

}  // namespace
}  // namespace anclora

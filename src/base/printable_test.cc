#include "base/printable.h"

#include <gtest/gtest.h>

namespace anclora {
namespace {

TEST(Printable, LeavesTextInAnyLanguageAsItIs) {
  const std::string text = "día\t東京 😀 \xc2\xa0\nnext line\\x1b";
  EXPECT_EQ(printable_text(text), text);
}

TEST(Printable, SpellsOutWhatCouldSteerATerminal) {
  EXPECT_EQ(printable_text("\x1b[2J\r\x07\x7f"), "\\x1b[2J\\x0d\\x07\\u007f");
  EXPECT_EQ(printable_text("\xc2\x9b"
                           "2J"),
            "\\u009b2J");
  EXPECT_EQ(printable_text(std::string_view("\0", 1)), "\\x00");
}

TEST(Printable, SpellsOutWhatShowsCharactersInAnotherOrder) {
  EXPECT_EQ(printable_text("a\u202eb\u2066c\u2069"), "a\\u202eb\\u2066c\\u2069");
  EXPECT_EQ(printable_text("\u200f\u2027\u202f\u2065\u206a"), "\u200f\u2027\u202f\u2065\u206a");
}

TEST(Printable, QuotesAWordForAShellWhereItHasTo) {
  EXPECT_EQ(shell_word("s3://bucket/team/repo-1"), "s3://bucket/team/repo-1");
  EXPECT_EQ(shell_word("/srv/my backups"), "'/srv/my backups'");
  EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(Printable, SpellsOutWhatIsNoUtf8) {
  EXPECT_EQ(printable_text("\x9b[2J"), "\\x9b[2J");
  EXPECT_EQ(printable_text("\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80"),
            "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80");
  EXPECT_EQ(printable_text("\xe6\x9d"), "\\xe6\\x9d");
  EXPECT_EQ(printable_text("\xe6\x1b"), "\\xe6\\x1b");
}

TEST(Printable, KeepsALineOne) { EXPECT_EQ(printable_line("a\nb\tc"), "a\\x0ab\\x09c"); }

TEST(Printable, KnowsTheBeginningOfACharacter) {
  EXPECT_EQ(unfinished_character("a\xe6\x9d"), 2U);
  EXPECT_EQ(unfinished_character("a\xf0\x9f\x98"), 3U);
  EXPECT_EQ(unfinished_character("a\xe6\x9d\xb1"), 0U);
  EXPECT_EQ(unfinished_character("a\xe6\x1b"), 0U);
  EXPECT_EQ(unfinished_character("\x9d"), 0U);
  EXPECT_EQ(unfinished_character(""), 0U);
}

}  // namespace
}  // namespace anclora

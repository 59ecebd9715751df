#include "redis/resp/reply.h"

#include <gtest/gtest.h>

namespace anclora::redis {
namespace {

Result<Reply> read(ByteView bytes, std::size_t chunk, ReplyLimits limits = {}) {
  ReplyParser parser(limits);
  while (!bytes.empty() && !parser.ready()) {
    ASSIGN_OR_RETURN(const std::size_t taken, parser.feed(bytes.substr(0, chunk)));
    bytes.remove_prefix(taken);
  }
  if (!parser.ready()) return Error(ErrorKind::kUnavailable, "incomplete");
  EXPECT_TRUE(bytes.empty());
  return parser.take();
}

TEST(BuildCommand, WritesBulkStrings) {
  EXPECT_EQ(build_command({"SET", "k", ""}), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
}

TEST(ReplyParser, ReadsEveryTypeWhateverTheChunks) {
  const Bytes bytes = "*7\r\n+OK\r\n-ERR no\r\n:-42\r\n$5\r\na\r\nbc\r\n$-1\r\n*0\r\n*2\r\n*-1\r\n$0\r\n\r\n";
  for (std::size_t chunk = 1; chunk <= bytes.size(); ++chunk) {
    auto reply = read(bytes, chunk);
    ASSERT_TRUE(reply.has_value()) << reply.error().message();
    ASSERT_EQ(reply->elements.size(), 7u);
    EXPECT_EQ(reply->elements[0].text, "OK");
    EXPECT_EQ(reply->elements[1].error_code(), "ERR");
    EXPECT_EQ(reply->elements[2].integer, -42);
    EXPECT_EQ(reply->elements[3].text, "a\r\nbc");
    EXPECT_TRUE(reply->elements[4].is_null());
    EXPECT_EQ(reply->elements[5].type, Reply::Type::kArray);
    EXPECT_TRUE(reply->elements[6].elements[0].is_null());
    EXPECT_EQ(reply->elements[6].elements[1].type, Reply::Type::kBulk);
  }
}

TEST(ReplyParser, LeavesTheNextReplyUnread) {
  ReplyParser parser;
  const Bytes two = "+one\r\n+two\r\n";
  EXPECT_EQ(parser.feed(two).value(), 6u);
  EXPECT_EQ(parser.take().text, "one");
  EXPECT_EQ(parser.feed(ByteView(two).substr(6)).value(), 6u);
  EXPECT_EQ(parser.take().text, "two");
}

TEST(ReplyParser, RefusesWhatIsNoReply) {
  for (const Bytes bytes : {"HTTP/1.1 400 Bad Request\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\x15\x03\x01\r\n", "$-2\r\n",
                            "$x\r\n", ":\r\n", "*1x\r\n", "+no carriage return\n", "$1\r\nabc\r\n"}) {
    const auto reply = read(bytes, bytes.size());
    ASSERT_FALSE(reply.has_value()) << bytes;
    EXPECT_EQ(reply.error().kind(), ErrorKind::kDataLoss) << bytes;
  }
}

TEST(ReplyParser, RefusesWhatIsBeyondItsLimitsBeforeAllocating) {
  const ReplyLimits limits{.bytes = 1000, .depth = 3, .line_bytes = 100};
  for (const Bytes& bytes :
       {Bytes("$1001\r\n"), Bytes("$99999999999999999\r\n"), Bytes("*100000000\r\n"), Bytes("*2\r\n*7\r\n*7\r\n"),
        "+" + Bytes(200, 'x'), Bytes("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"),
        "*2\r\n$600\r\n" + Bytes(600, 'x') + "\r\n$600\r\n"}) {
    const auto reply = read(bytes, bytes.size(), limits);
    ASSERT_FALSE(reply.has_value()) << bytes;
    EXPECT_EQ(reply.error().kind(), ErrorKind::kResourceExhausted) << bytes;
  }
}

TEST(Reply, FindsAFieldByName) {
  const auto reply = read("*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n", 100);
  ASSERT_NE(reply->field("b"), nullptr);
  EXPECT_EQ(reply->field("b")->integer, 2);
  EXPECT_EQ(reply->field("c"), nullptr);
}

}  // namespace
}  // namespace anclora::redis

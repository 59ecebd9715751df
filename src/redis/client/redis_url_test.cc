#include "redis/client/redis_url.h"

#include <gtest/gtest.h>

namespace anclora::redis {
namespace {

TEST(RedisUrl, ReadsHostPortUserPasswordAndDatabase) {
  const auto url = RedisUrl::parse("redis://app:s%40cret%2F@db.example:7000/3");
  ASSERT_TRUE(url.has_value()) << url.error().message();
  EXPECT_EQ(url->endpoint.host, "db.example");
  EXPECT_EQ(url->endpoint.port, 7000);
  EXPECT_EQ(url->user, "app");
  EXPECT_EQ(url->password.reveal(), "s@cret/");
  EXPECT_EQ(url->database, 3u);
  EXPECT_FALSE(url->tls.has_value());
}

TEST(RedisUrl, HasDefaults) {
  const auto url = RedisUrl::parse("redis://localhost");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->endpoint.port, 6379);
  EXPECT_TRUE(url->user.empty());
  EXPECT_TRUE(url->password.empty());
  EXPECT_TRUE(RedisUrl::parse("redis://localhost/").has_value());
}

TEST(RedisUrl, ReadsAPasswordWithoutAUser) {
  const auto url = RedisUrl::parse("redis://:pw@h");
  ASSERT_TRUE(url.has_value());
  EXPECT_TRUE(url->user.empty());
  EXPECT_EQ(url->password.reveal(), "pw");
}

TEST(RedisUrl, ReadsAnIpv6Address) {
  const auto url = RedisUrl::parse("redis://[::1]:6380/1");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->endpoint.host, "::1");
  EXPECT_EQ(url->to_string(), "redis://[::1]:6380/1");
}

TEST(RedisUrl, ReadsASocketsPath) {
  const auto url = RedisUrl::parse("unix:///run/redis/redis%20a.sock?db=4");
  ASSERT_TRUE(url.has_value()) << url.error().message();
  EXPECT_EQ(url->endpoint.host, "/run/redis/redis a.sock");
  EXPECT_EQ(url->database, 4u);
}

TEST(RedisUrl, ReadsTheFilesOfTls) {
  const auto url = RedisUrl::parse("rediss://h:1?ca=/etc/ca.pem&cert=c&key=k&server-name=redis.internal");
  ASSERT_TRUE(url.has_value());
  ASSERT_TRUE(url->tls.has_value());
  EXPECT_EQ(url->tls->ca_file, "/etc/ca.pem");
  EXPECT_EQ(url->tls->certificate_file, "c");
  EXPECT_EQ(url->tls->key_file, "k");
  EXPECT_EQ(url->tls->server_name, "redis.internal");
}

TEST(RedisUrl, PrintsItselfWithoutThePassword) {
  EXPECT_EQ(RedisUrl::parse("rediss://app:hidden@h/2")->to_string(), "rediss://app@h:6379/2");
  EXPECT_EQ(RedisUrl::parse("redis://:hidden@h")->to_string(), "redis://h:6379");
}

TEST(RedisUrl, RefusesWhatItCannotReadWithoutRepeatingThePassword) {
  for (const char* text :
       {"localhost:6379", "http://hidden@h", "redis://", "redis://u:hidden@", "redis://h:0", "redis://h:65536",
        "redis://h:x", "redis://u:hidden@h/x", "redis://u:hid%zzden@h", "redis://u:hidden@[::1", "redis://a:b:hidden",
        "unix://relative", "redis://h?ca=x", "redis://h?what=1", "redis://h?db=x", "redis://u:hid/den@h:1/2/3", ""}) {
    const auto url = RedisUrl::parse(text);
    ASSERT_FALSE(url.has_value()) << text;
    EXPECT_EQ(url.error().kind(), ErrorKind::kInvalidArgument);
    EXPECT_EQ(url.error().to_string().find("hid"), std::string::npos) << url.error().to_string();
    EXPECT_FALSE(url.error().hint().empty());
  }
}

}  // namespace
}  // namespace anclora::redis

#include "storage/store/store_url.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "storage/testing/s3_server.h"
#include "storage/testing/scripted_s3.h"

namespace anclora::storage {
namespace {

Result<std::unique_ptr<Store>> open(std::string_view url, std::map<std::string, std::string> variables = {},
                                    S3Settings settings = {}) {
  return open_store(url, {posix_file_system(),
                          system_clock(),
                          system_random(),
                          environment_of(std::move(variables)),
                          std::move(settings),
                          {}});
}

TEST(StoreUrl, APathIsAFolder) {
  const TemporaryDirectory directory;
  for (const std::string& url : {directory / "plain", "file://" + (directory / "by%20url")}) {
    const auto store = open(url);
    ASSERT_TRUE(store.has_value()) << store.error().to_string();
    EXPECT_EQ((*store)->put_if_absent("config", "x").value(), PutOutcome::kCreated);
  }
  EXPECT_TRUE(posix_file_system().stat(directory / "plain/config").has_value());
  EXPECT_TRUE(posix_file_system().stat(directory / "by url/config").has_value());
  EXPECT_EQ(open(directory / "plain///").value()->describe(), directory / "plain");
}

TEST(StoreUrl, AnS3UrlIsABucketAndAPrefix) {
  const std::map<std::string, std::string> region = {{"AWS_REGION", "eu-central-1"}};
  EXPECT_EQ(open("s3://bucket", region).value()->describe(), "s3://bucket");
  EXPECT_EQ(open("s3://bucket/", region).value()->describe(), "s3://bucket");
  EXPECT_EQ(open("s3://bucket/a/b//", region).value()->describe(), "s3://bucket/a/b");
}

TEST(StoreUrl, MalformedUrlsAreRefusedWithTheForms) {
  for (const char* url : {"",
                          "s3://",
                          "s3:///x",
                          "s3:bucket",
                          "s3:/bucket/x",
                          "s3://ab",
                          "s3://-bucket",
                          "s3://bucket/a b",
                          "s3://bucket/../x",
                          "s3://bucket//x",
                          "s3://bucket?x=1",
                          "s3://key:secret@bucket/x",
                          "file://host/x",
                          "file://",
                          "file:///%zz",
                          "file:///%00",
                          "file:x",
                          "http://x/y",
                          "redis://x",
                          "gs://bucket"}) {
    const auto store = open(url, {{"AWS_REGION", "eu-central-1"}});
    ASSERT_FALSE(store.has_value()) << url;
    EXPECT_EQ(store.error().kind(), ErrorKind::kInvalidArgument) << url;
    EXPECT_FALSE(store.error().hint().empty()) << url;
  }
}

TEST(StoreUrl, AmazonWithoutARegionIsRefused) {
  const auto store = open("s3://bucket/x");
  ASSERT_FALSE(store.has_value());
  EXPECT_NE(store.error().hint().find("AWS_REGION"), std::string::npos);
}

TEST(StoreUrl, BadSettingsAreRefused) {
  for (const char* endpoint :
       {"127.0.0.1:9000", "ftp://x", "http://", "http://user@host", "http://host?x", "http://a b"}) {
    EXPECT_EQ(open("s3://bucket", {}, {.endpoint = endpoint}).error().kind(), ErrorKind::kInvalidArgument) << endpoint;
  }
  EXPECT_EQ(open("s3://bucket", {{"AWS_REGION", "a/b"}}).error().kind(), ErrorKind::kInvalidArgument);
}

TEST(StoreUrl, GivenSettingsWinOverTheEnvironment) {
  ScriptedS3 given;
  ScriptedS3 ambient;
  const std::map<std::string, std::string> variables = {
      {"AWS_ACCESS_KEY_ID", "k"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_ENDPOINT_URL", ambient.endpoint()}};
  const auto store =
      open("s3://bucket/p", variables, {.endpoint = given.endpoint() + "/base/", .region = "xx-1"}).value();
  EXPECT_EQ(store->put_if_absent("config", "x").value(), PutOutcome::kCreated);
  EXPECT_EQ(given.requests(), (std::vector<std::string>{"PUT /base/bucket/p/config"}));
  EXPECT_NE(given.last_head().find("/xx-1/s3/aws4_request"), std::string::npos);
  EXPECT_TRUE(ambient.requests().empty());
}

}  // namespace
}  // namespace anclora::storage

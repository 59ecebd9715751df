#include "storage/store/aws_credentials.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_directory.h"
#include "storage/testing/s3_server.h"
#include "storage/testing/scripted_s3.h"

namespace anclora::storage {
namespace {

using Variables = std::map<std::string, std::string>;

class AwsCredentialsTest : public ::testing::Test {
 protected:
  AwsCredentialsTest() { std::filesystem::create_directory(home_ / ".aws"); }
  void write(const std::string& name, const std::string& text) { std::ofstream(home_ / name) << text; }
  Environment environment(Variables more = {}) {
    Variables variables = {{"HOME", home_.path()}, {"AWS_EC2_METADATA_DISABLED", "true"}};
    for (auto& [name, value] : more) variables[name] = value;
    return environment_of(variables);
  }
  Result<AwsCredentials> credentials(Variables more = {}) {
    return AwsCredentialsProvider(environment(std::move(more)), posix_file_system(), clock_).get();
  }
  Result<AwsSettings> settings(Variables more = {}) {
    return aws_settings(environment(std::move(more)), posix_file_system());
  }
  static ScriptedAnswer answer(std::string body, int status = 200) {
    return {ScriptedAnswer::Kind::kStatus, status, std::move(body)};
  }
  static std::string key_json(const std::string& key, const std::string& expiration) {
    return fmt::format(R"({{"Code":"Success","AccessKeyId":"{}","SecretAccessKey":"s","Token":"t","Expiration":"{}"}})",
                       key, expiration);
  }

  TemporaryDirectory home_;
  ManualClock clock_;  // 2026-01-01T00:00:00Z
};

TEST_F(AwsCredentialsTest, TheEnvironmentComesFirst) {
  write(".aws/credentials", "[default]\naws_access_key_id = file\naws_secret_access_key = filesecret\n");
  const auto found = credentials(
      {{"AWS_ACCESS_KEY_ID", "env"}, {"AWS_SECRET_ACCESS_KEY", "envsecret"}, {"AWS_SESSION_TOKEN", "envtoken"}});
  ASSERT_TRUE(found.has_value()) << found.error().to_string();
  EXPECT_EQ(found->access_key_id, "env");
  EXPECT_EQ(found->secret_access_key.reveal(), "envsecret");
  EXPECT_EQ(found->session_token.reveal(), "envtoken");
}

TEST_F(AwsCredentialsTest, HalfAPairInTheEnvironmentIsAnError) {
  EXPECT_EQ(credentials({{"AWS_ACCESS_KEY_ID", "env"}}).error().kind(), ErrorKind::kUnauthenticated);
}

TEST_F(AwsCredentialsTest, ProfilesAreReadFromBothFiles) {
  write(
      ".aws/credentials",
      "# comment\r\n[default]\r\naws_access_key_id=d\r\naws_secret_access_key=ds\r\n\r\n[prod]\naws_access_key_id = p\n"
      "aws_secret_access_key = p=s;x\naws_session_token = pt\n");
  write(
      ".aws/config",
      "[default]\nregion = eu-west-1\n[profile prod]\nregion=eu-central-1\nendpoint_url = http://10.0.0.1:9000\ns3 =\n"
      "  addressing_style = path\n[profile only-config]\naws_access_key_id = c\naws_secret_access_key = cs\n");
  EXPECT_EQ(credentials()->access_key_id, "d");
  const auto prod = credentials({{"AWS_PROFILE", "prod"}});
  EXPECT_EQ(prod->access_key_id, "p");
  EXPECT_EQ(prod->secret_access_key.reveal(), "p=s;x");
  EXPECT_EQ(prod->session_token.reveal(), "pt");
  EXPECT_EQ(credentials({{"AWS_PROFILE", "only-config"}})->access_key_id, "c");
  EXPECT_EQ(settings()->region, "eu-west-1");
  EXPECT_EQ(settings({{"AWS_PROFILE", "prod"}})->region, "eu-central-1");
  EXPECT_EQ(settings({{"AWS_PROFILE", "prod"}})->endpoint, "http://10.0.0.1:9000");
}

TEST_F(AwsCredentialsTest, VariablesOverrideTheFilesSettings) {
  write(".aws/config", "[default]\nregion = r\nendpoint_url = http://file\nca_bundle = /file.pem\n");
  EXPECT_EQ(settings({{"AWS_DEFAULT_REGION", "a"}})->region, "a");
  EXPECT_EQ(settings({{"AWS_DEFAULT_REGION", "a"}, {"AWS_REGION", "b"}})->region, "b");
  EXPECT_EQ(settings({{"AWS_ENDPOINT_URL", "http://all"}})->endpoint, "http://all");
  EXPECT_EQ(settings({{"AWS_ENDPOINT_URL", "http://all"}, {"AWS_ENDPOINT_URL_S3", "http://s3"}})->endpoint,
            "http://s3");
  EXPECT_EQ(settings({{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}})->endpoint, "");
  EXPECT_EQ(settings()->ca_file, "/file.pem");
  EXPECT_EQ(settings({{"AWS_CA_BUNDLE", "/env.pem"}})->ca_file, "/env.pem");
}

TEST_F(AwsCredentialsTest, FilesElsewhereAreFound) {
  write("mine", "[default]\naws_access_key_id = m\naws_secret_access_key = s\n");
  write("conf", "[default]\nregion = x-1\n");
  EXPECT_EQ(credentials({{"AWS_SHARED_CREDENTIALS_FILE", home_ / "mine"}})->access_key_id, "m");
  EXPECT_EQ(settings({{"AWS_CONFIG_FILE", home_ / "conf"}})->region, "x-1");
}

TEST_F(AwsCredentialsTest, AMissingProfileAndAMalformedFileAreNamed) {
  EXPECT_EQ(credentials({{"AWS_PROFILE", "typo"}}).error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(credentials({{"AWS_PROFILE", "typo"}}).error().message().find("typo"), std::string::npos);
  write(".aws/credentials", "[default]\nnonsense\n");
  EXPECT_NE(credentials().error().message().find("credentials:2:"), std::string::npos);
  write(".aws/credentials", "[default\n");
  EXPECT_EQ(credentials().error().kind(), ErrorKind::kInvalidArgument);
}

TEST_F(AwsCredentialsTest, WaysThatWeLackAreSaidToBeUnsupported) {
  write(".aws/config", "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = y\n");
  EXPECT_EQ(credentials().error().kind(), ErrorKind::kUnsupported);
  write(".aws/config", "");
  EXPECT_EQ(credentials({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}}).error().kind(), ErrorKind::kUnsupported);
}

TEST_F(AwsCredentialsTest, NoneAtAllNamesThePlacesLookedAt) {
  const auto none = credentials();
  EXPECT_EQ(none.error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_NE(none.error().message().find("AWS_ACCESS_KEY_ID"), std::string::npos);
}

TEST_F(AwsCredentialsTest, AContainersEndpointIsAskedWithItsToken) {
  ScriptedS3 service;
  write("token", "Bearer abc\n");
  service.always(answer(key_json("container", "2026-01-01T06:00:00Z")));
  const auto found = credentials({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", service.endpoint() + "/v1/credentials"},
                                  {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_ / "token"}});
  ASSERT_TRUE(found.has_value()) << found.error().to_string();
  EXPECT_EQ(found->access_key_id, "container");
  EXPECT_EQ(found->session_token.reveal(), "t");
  EXPECT_EQ(found->expires, parse_rfc3339("2026-01-01T06:00:00Z").value());
  EXPECT_EQ(service.requests(), (std::vector<std::string>{"GET /v1/credentials"}));
  EXPECT_NE(service.last_head().find("Authorization: Bearer abc\r\n"), std::string::npos);
}

TEST_F(AwsCredentialsTest, AContainersEndpointElsewhereInPlainTextIsRefused) {
  for (const char* uri :
       {"http://10.1.2.3/x", "http://127.0.0.1.evil.example/x", "http://localhost@evil/x", "ftp://x"}) {
    EXPECT_EQ(credentials({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri}}).error().kind(), ErrorKind::kInvalidArgument)
        << uri;
  }
}

TEST_F(AwsCredentialsTest, InstanceMetadataIsAskedByVersionTwo) {
  ScriptedS3 service;
  service.script({answer("the-token"), answer("my-role"), answer(key_json("instance", "2026-01-01T06:00:00Z"))});
  const auto found = credentials(
      {{"AWS_EC2_METADATA_DISABLED", "false"}, {"AWS_EC2_METADATA_SERVICE_ENDPOINT", service.endpoint() + "/"}});
  ASSERT_TRUE(found.has_value()) << found.error().to_string();
  EXPECT_EQ(found->access_key_id, "instance");
  EXPECT_EQ(service.requests(),
            (std::vector<std::string>{"PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
                                      "GET /latest/meta-data/iam/security-credentials/my-role"}));
  EXPECT_NE(service.last_head().find("x-aws-ec2-metadata-token: the-token"), std::string::npos);
}

TEST_F(AwsCredentialsTest, AMachineWithoutAMetadataServiceHasNone) {
  std::string gone;
  {
    const ScriptedS3 service;
    gone = service.endpoint();
  }
  const auto none = credentials({{"AWS_EC2_METADATA_DISABLED", "false"}, {"AWS_EC2_METADATA_SERVICE_ENDPOINT", gone}});
  EXPECT_EQ(none.error().kind(), ErrorKind::kUnauthenticated);
}

TEST_F(AwsCredentialsTest, TheyAreRenewedBeforeTheyExpireAndKeptWhileTheServiceFails) {
  ScriptedS3 service;
  AwsCredentialsProvider provider(environment({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", service.endpoint() + "/c"}}),
                                  posix_file_system(), clock_);
  service.always(answer(key_json("one", "2026-01-01T01:00:00Z")));
  EXPECT_EQ(provider.get()->access_key_id, "one");
  clock_.advance(std::chrono::minutes(54));
  EXPECT_EQ(provider.get()->access_key_id, "one");
  EXPECT_EQ(service.requests().size(), 1U);
  clock_.advance(std::chrono::minutes(2));
  service.always(answer("", 500));
  EXPECT_EQ(provider.get()->access_key_id, "one");
  EXPECT_EQ(service.requests().size(), 2U);
  clock_.advance(std::chrono::minutes(10));
  EXPECT_EQ(provider.get().error().kind(), ErrorKind::kUnavailable);
  service.always(answer(key_json("two", "2026-01-01T02:00:00Z")));
  EXPECT_EQ(provider.get()->access_key_id, "two");
}

}  // namespace
}  // namespace anclora::storage

#include "storage/store/sigv4.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "storage/testing/piped_process.h"
#include "storage/testing/source_tree.h"

namespace anclora::storage {
namespace {

constexpr const char* kWhen = "2026-11-24T12:34:56Z";
constexpr const char* kTimestamp = "20261124T123456Z";

struct SigningCase {
  SigV4Request request;
  AwsCredentials credentials;
  std::string region = "us-east-1";
};

std::string authorization(const SigningCase& signing) {
  const auto headers =
      sigv4_headers(signing.request, signing.credentials, signing.region, "s3", parse_rfc3339(kWhen).value());
  const auto at = std::ranges::find(headers, "Authorization", &std::pair<std::string, std::string>::first);
  return at == headers.end() ? "" : at->second;
}

std::string as_json(const SigningCase& signing) {
  nlohmann::json out;
  nlohmann::json headers = nlohmann::json::object();
  for (const auto& [name, value] : signing.request.headers) headers[name] = value;
  out["method"] = signing.request.method;
  out["host"] = "bucket.example.com";
  out["path"] = signing.request.path;
  out["query"] = signing.request.query;
  out["headers"] = headers;
  out["payload_sha256"] = signing.request.payload_sha256_hex;
  out["access_key"] = signing.credentials.access_key_id;
  out["secret_key"] = signing.credentials.secret_access_key.reveal();
  out["token"] = signing.credentials.session_token.reveal();
  out["region"] = signing.region;
  out["timestamp"] = kTimestamp;
  return out.dump();
}

SigningCase base_case() {
  SigningCase out;
  out.request.method = "GET";
  out.request.path = "/";
  out.request.headers = {{"host", "bucket.example.com"}};
  out.request.payload_sha256_hex = to_hex(ByteView(sha256("")));
  out.credentials.access_key_id = "AKIDEXAMPLE";
  out.credentials.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  return out;
}

std::vector<SigningCase> hand_made_cases() {
  std::vector<SigningCase> out;
  for (const char* path : {"/", "/plain", "/a b", "/a+b=c&d", "/ä/ö", "/%41", "/a//b/", "/~tilde*star(paren)'quote'!",
                           "/a:b@c$d,e;f?g#h", "/\x01\x7f", "/.well/../x"}) {
    out.push_back(base_case());
    out.back().request.path = path;
  }
  const std::vector<std::vector<std::pair<std::string, std::string>>> queries = {
      {{"acl", ""}},
      {{"list-type", "2"}, {"prefix", "a/b c+d"}, {"delimiter", "/"}},
      {{"b", "2"}, {"a", "1"}, {"A", "0"}},
      {{"x", "ä~*'()!"}},
      {{"continuation-token", "1+/=="}},
      {{"a-b", "1"}, {"a", "2"}, {"ab", "3"}}};
  for (const auto& query : queries) {
    out.push_back(base_case());
    out.back().request.query = query;
  }
  for (const char* method : {"PUT", "DELETE", "HEAD"}) {
    out.push_back(base_case());
    out.back().request.method = method;
    out.back().credentials.session_token = Secret("IQoJb3JpZ2luX2VjEXAMPLE//+token==");
    out.back().request.headers.insert(out.back().request.headers.end(), {{"If-None-Match", "*"},
                                                                         {"Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="},
                                                                         {"Range", "bytes=0-99"},
                                                                         {"x-amz-meta-spaced", "  two   words  "},
                                                                         {"x-amz-meta-empty", ""}});
  }
  return out;
}

std::string random_text(Random& random, std::size_t longest) {
  static const std::string kAlphabet = "abcXYZ019-._~/+=&?%*'()!@:;,$# ";
  std::string out;
  for (std::size_t left = random.below(longest) + 1; left > 0; --left) out += kAlphabet[random.below(kAlphabet.size())];
  return out;
}

SigningCase random_case(Random& random) {
  static const std::vector<std::string> kMethods = {"GET", "PUT", "DELETE", "HEAD", "POST"};
  static const std::vector<std::string> kRegions = {"us-east-1", "eu-central-1", "cn-north-1", "auto"};
  SigningCase out = base_case();
  out.request.method = kMethods[random.below(kMethods.size())];
  out.request.path = "/" + random_text(random, 60);
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    out.request.query.emplace_back(fmt::format("k{}{}", i, random_text(random, 5)), random_text(random, 20));
  }
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    out.request.headers.emplace_back(fmt::format("X-Amz-Meta-{}", i), random_text(random, 30));
  }
  out.request.payload_sha256_hex = to_hex(ByteView(sha256(random.bytes(10))));
  out.credentials.secret_access_key = Secret(random_text(random, 40));
  if (random.below(2) == 0) out.credentials.session_token = Secret("t" + to_hex(random.bytes(40)));
  out.region = kRegions[random.below(kRegions.size())];
  return out;
}

TEST(SigV4, SignsByteForByteAsBotocoreDoes) {
  std::vector<SigningCase> cases = hand_made_cases();
  SeededRandom random(20261124);
  while (cases.size() < 220) cases.push_back(random_case(random));
  const char* python = std::getenv("ANCLORA_PYTHON");
  PipedProcess botocore(
      {python == nullptr ? "/usr/bin/python3" : python, source_path("tests/s3/sign_with_botocore.py")});
  for (const auto& signing : cases) {
    botocore.write_line(as_json(signing));
    const auto expected = botocore.read_line(std::chrono::seconds(60));
    ASSERT_TRUE(expected.has_value()) << "botocore did not answer (Debian: python3-botocore) to " << as_json(signing);
    EXPECT_EQ(authorization(signing), *expected) << as_json(signing);
  }
}

// The worked example of the S3 API reference, "Example: GET Object".
TEST(SigV4, SignsTheExampleOfTheReferenceManual) {
  SigningCase example = base_case();
  example.request.path = "/test.txt";
  example.request.headers = {{"Host", "examplebucket.s3.amazonaws.com"}, {"Range", "bytes=0-9"}};
  example.credentials.access_key_id = "AKIAIOSFODNN7EXAMPLE";
  example.credentials.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  const auto headers = sigv4_headers(example.request, example.credentials, "us-east-1", "s3",
                                     parse_rfc3339("2013-05-24T00:00:00Z").value());
  EXPECT_EQ(headers.back().second,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, DigestsAreTheKnownOnes) {
  EXPECT_EQ(to_hex(ByteView(sha256("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Digest md5(Digest::Algorithm::kMd5);
  md5.update("");
  EXPECT_EQ(base64(md5.finish()), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64(""), "");
}

}  // namespace
}  // namespace anclora::storage

// S3 answers that no real server gives on demand: nothing is reported as done that is not, and every wait ends.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "base/testing/tls_authority.h"
#include "base/testing/witness.h"
#include "storage/store/put_proof.h"
#include "storage/store/retry_store.h"
#include "storage/store/s3_store.h"
#include "storage/testing/s3_server.h"
#include "storage/testing/scripted_s3.h"

namespace anclora::storage {
namespace {

using Kind = ScriptedAnswer::Kind;

std::string error_xml(std::string_view code, std::string_view more = "") {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>says so</Message>{}</Error>", code,
      more);
}
ScriptedAnswer status(int code, std::string body = "", std::vector<std::pair<std::string, std::string>> headers = {}) {
  return {Kind::kStatus, code, std::move(body), std::move(headers)};
}
const ScriptedAnswer kSlowDown = status(503, error_xml("SlowDown"));

class S3Faults : public ::testing::Test {
 protected:
  std::unique_ptr<S3Store> open(const std::string& endpoint, Clock& clock, const std::string& ca_file = "",
                                Duration patience = std::chrono::seconds(60)) {
    S3Options options;
    options.bucket = "bucket";
    options.endpoint = endpoint;
    options.path_style = true;
    options.http.connect_timeout = patience;
    options.http.total_timeout = patience;
    options.http.slowest_bytes_per_second = 1024 * kMiB;
    options.http.stall_timeout = std::max(patience, Duration(std::chrono::seconds(1)));
    options.http.ca_file = ca_file;
    auto environment = environment_of({{"AWS_ACCESS_KEY_ID", "k"}, {"AWS_SECRET_ACCESS_KEY", "s"}});
    auto credentials = std::make_unique<AwsCredentialsProvider>(environment, posix_file_system(), clock);
    return S3Store::open(options, std::move(credentials), clock).value();
  }
  template <class T>
  static Error error_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result.has_value() ? Error(ErrorKind::kInternal, "no error") : result.error();
  }
  static bool says(const Error& error, std::string_view words) {
    return error.to_string().find(words) != std::string::npos;
  }

  ManualClock clock_;
  SeededRandom random_{1};
  ScriptedS3 server_;
  std::unique_ptr<S3Store> s3_ = open(server_.endpoint(), clock_);
  RetryStore store_{*s3_, clock_, random_, RetryOptions{}};
  // For servers that hang.
  std::unique_ptr<S3Store> hasty_ = open(server_.endpoint(), clock_, "", std::chrono::milliseconds(700));
};

TEST_F(S3Faults, ServerErrorsAndSlowDownAreRetriedUntilTheyPass) {
  server_.script({status(500, error_xml("InternalError")), kSlowDown, status(502, "<html>proxy"), status(504),
                  status(429), status(409, error_xml("ConditionalRequestConflict")),
                  status(400, error_xml("BadDigest"))});
  EXPECT_EQ(store_.put_if_absent("a", "x").value(), PutOutcome::kCreated);
  EXPECT_EQ(server_.requests().size(), 8U);
  EXPECT_EQ(server_.objects().at("/bucket/a"), "x");
}

TEST_F(S3Faults, AServerThatStaysBrokenIsGivenUpAfterABoundedNumberOfRequests) {
  server_.always(kSlowDown);
  const MonoTime began = clock_.mono_now();
  const Error error = error_of(store_.put_if_absent("a", "x"));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(says(error, "SlowDown")) << error.to_string();
  EXPECT_LT(server_.requests().size(), 60U);
  EXPECT_LE(clock_.mono_now() - began, std::chrono::seconds(65));
  EXPECT_TRUE(server_.objects().empty());
}

TEST_F(S3Faults, RetryAfterHoldsEveryRequestBack) {
  server_.script({status(503, error_xml("SlowDown"), {{"Retry-After", "7"}})});
  EXPECT_EQ(error_of(s3_->get("a", 10)).kind(), ErrorKind::kUnavailable);
  const MonoTime before = clock_.mono_now();
  EXPECT_EQ(error_of(s3_->get("b", 10)).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(clock_.mono_now() - before, std::chrono::seconds(7));
}

TEST_F(S3Faults, ARetryAfterOfDaysIsNotBelieved) {
  server_.script({status(503, "", {{"Retry-After", "999999"}})});
  EXPECT_EQ(error_of(s3_->get("a", 10)).kind(), ErrorKind::kUnavailable);
  const MonoTime before = clock_.mono_now();
  EXPECT_EQ(error_of(s3_->get("b", 10)).kind(), ErrorKind::kNotFound);
  EXPECT_LE(clock_.mono_now() - before, std::chrono::seconds(20));
}

TEST_F(S3Faults, ALostReplyOfAPutEndsAsExistsWithOurBytes) {
  server_.script({{.kind = Kind::kLostReply}});
  EXPECT_EQ(store_.put_if_absent("a", "mine").value(), PutOutcome::kExists);
  EXPECT_EQ(store_.get("a", 100).value(), "mine");
}

TEST_F(S3Faults, APutThatNeverReachedTheServerIsUnknownNotDone) {
  for (const Kind kind : {Kind::kCut, Kind::kHang}) {
    // Twice: libcurl repeats by itself on a kept-alive connection that was cut.
    server_.script({{.kind = kind}, {.kind = kind}});
    const ErrorKind answered = error_of((kind == Kind::kHang ? hasty_ : s3_)->put_if_absent("a", "x")).kind();
    EXPECT_EQ(answered, kind == Kind::kHang ? ErrorKind::kDeadlineExceeded : ErrorKind::kUnavailable);
    EXPECT_TRUE(server_.objects().empty());
  }
}

TEST_F(S3Faults, AHangEndsAtOurOwnDeadline) {
  server_.always({.kind = Kind::kHang});
  Witness witness;
  const MonoTime began = system_clock().mono_now();
  EXPECT_EQ(error_of(hasty_->get("a", 10)).kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_EQ(error_of(hasty_->head("a")).kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_EQ(error_of(hasty_->list("", false)).kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_EQ(error_of(hasty_->now()).kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_EQ(error_of(hasty_->remove("a")).kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_LT(system_clock().mono_now() - began, witness.limit(std::chrono::seconds(10)));
}

TEST_F(S3Faults, AHangAfterTheBytesWereStoredIsSettledByTheRetry) {
  server_.script({{.kind = Kind::kHangAfter}});
  RetryStore hasty(*hasty_, clock_, random_, RetryOptions{});
  EXPECT_EQ(hasty.put_if_absent("a", "mine").value(), PutOutcome::kExists);
  EXPECT_EQ(server_.objects().at("/bucket/a"), "mine");
}

TEST_F(S3Faults, ATruncatedGetIsNeverTakenForTheObject) {
  ASSERT_TRUE(store_.put_if_absent("a", std::string(100'000, 'x')).has_value());
  server_.script({{.kind = Kind::kTruncatedBody}, {.kind = Kind::kTruncatedBody}});
  EXPECT_EQ(error_of(s3_->get("a", kMiB)).kind(), ErrorKind::kUnavailable);
  server_.script({{.kind = Kind::kTruncatedBody}});
  EXPECT_EQ(store_.get("a", kMiB)->size(), 100'000U);
}

TEST_F(S3Faults, AnAnswerWithoutALengthIsRefused) {
  ASSERT_TRUE(store_.put_if_absent("a", "0123456789").has_value());
  server_.script({{.kind = Kind::kNoLength}});
  EXPECT_EQ(error_of(s3_->get("a", 100)).kind(), ErrorKind::kDataLoss);
}

TEST_F(S3Faults, AShortRangeIsDataLossAndHealsWhenTheServerDoes) {
  ASSERT_TRUE(store_.put_if_absent("a", "0123456789").has_value());
  server_.script({{.kind = Kind::kShortBody}});
  EXPECT_EQ(error_of(s3_->get_range("a", 2, 6)).kind(), ErrorKind::kDataLoss);
  server_.script({{.kind = Kind::kShortBody}});
  EXPECT_EQ(store_.get_range("a", 2, 6).value(), "234567");
}

TEST_F(S3Faults, ARangeFromTheWrongPlaceOrTheWholeObjectInsteadIsRefused) {
  server_.script({status(206, "abcd", {{"Content-Range", "bytes 0-3/100"}})});
  EXPECT_EQ(error_of(s3_->get_range("a", 10, 4)).kind(), ErrorKind::kDataLoss);
  server_.script({status(200, "the whole object")});
  EXPECT_EQ(error_of(s3_->get_range("a", 3, 4)).kind(), ErrorKind::kUnsupported);
}

TEST_F(S3Faults, AnEndlessAnswerStopsAtTheLimit) {
  server_.script({{.kind = Kind::kEndlessBody}});
  EXPECT_EQ(error_of(s3_->get("a", 1000)).kind(), ErrorKind::kResourceExhausted);
}

TEST_F(S3Faults, APortalsPageIsNoCreatedObject) {
  server_.always(status(200, "<html>Welcome to the hotel's network</html>"));
  const Error error = error_of(s3_->put_if_absent("a", "x"));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(says(error, "ETag")) << error.to_string();
}

TEST_F(S3Faults, ARedirectNamesTheRegionToSet) {
  for (const int code : {301, 307}) {
    server_.script({status(code, error_xml("PermanentRedirect"), {{"x-amz-bucket-region", "eu-west-3"}})});
    const Error error = error_of(store_.get("a", 10));
    EXPECT_EQ(error.kind(), ErrorKind::kFailedPrecondition);
    EXPECT_TRUE(says(error, "AWS_REGION=eu-west-3")) << error.to_string();
  }
  server_.script({status(400, error_xml("AuthorizationHeaderMalformed", "<Region>eu-south-2</Region>"))});
  EXPECT_TRUE(says(error_of(store_.get("a", 10)), "AWS_REGION=eu-south-2"));
  server_.script({status(307, "", {{"Location", "http://elsewhere/"}})});
  EXPECT_TRUE(says(error_of(store_.get("a", 10)), "http://elsewhere/"));
  EXPECT_EQ(server_.requests().size(), 4U);
}

TEST_F(S3Faults, RefusalsAreToldApartWithTheNextStep) {
  struct Case {
    int status;
    const char* code;
    ErrorKind kind;
    const char* words;
  };
  for (const Case& expected :
       {Case{403, "SignatureDoesNotMatch", ErrorKind::kUnauthenticated, "AWS_SECRET_ACCESS_KEY"},
        Case{403, "InvalidAccessKeyId", ErrorKind::kUnauthenticated, "AWS_ACCESS_KEY_ID"},
        Case{403, "RequestTimeTooSkewed", ErrorKind::kFailedPrecondition, "this machine's clock says 2026-01-01T"},
        Case{403, "AccessDenied", ErrorKind::kPermissionDenied, "s3:PutObject"},
        Case{403, "ExpiredToken", ErrorKind::kUnauthenticated, "new credentials"},
        Case{403, "QuotaExceeded", ErrorKind::kResourceExhausted, "quota"},
        Case{404, "NoSuchBucket", ErrorKind::kFailedPrecondition, "create the bucket"},
        Case{501, "NotImplemented", ErrorKind::kUnsupported, "lacks"}}) {
    server_.always(status(expected.status, error_xml(expected.code)));
    for (const Error& error : {error_of(store_.put_if_absent("a", "x")), error_of(store_.get("a", 10)),
                               error_of(store_.head("a")), error_of(store_.list("", false)), error_of(store_.now())}) {
      EXPECT_EQ(error.kind(), expected.kind) << expected.code << ": " << error.to_string();
      EXPECT_TRUE(says(error, expected.words)) << error.to_string();
    }
  }
}

TEST_F(S3Faults, WhatAServerSaysCannotWriteOnTheTerminal) {
  server_.always(status(403, error_xml("\x1b[2JAccess", "")));
  EXPECT_EQ(error_of(store_.get("a", 10)).to_string().find('\x1b'), std::string::npos);
}

TEST_F(S3Faults, HostileListingsAreRefusedOrToldAsForeign) {
  const auto page = [](std::string_view inside, std::string_view more = "") {
    return status(200, fmt::format("<ListBucketResult>{}{}</ListBucketResult>", more, inside));
  };
  const auto entry = [](std::string_view key) {
    return fmt::format(
        "<Contents><Key>{}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>", key);
  };
  server_.script({page(entry("elsewhere/x"))});
  EXPECT_EQ(error_of(s3_->list("logs/", false)).kind(), ErrorKind::kDataLoss);
  server_.script({page(entry("../../etc/passwd") + entry("ok") + entry("a//b") + entry("x&#27;[2J"))});
  const Listing listing = store_.list("", false).value();
  EXPECT_EQ(listing.objects.size(), 1U);
  EXPECT_EQ(listing.foreign, (std::vector<std::string>{"../../etc/passwd", "a//b", "x\\x1b[2J"}));
  server_.always(page(entry("ok"), "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"));
  const std::size_t before = server_.requests().size();
  EXPECT_EQ(error_of(s3_->list("", false)).kind(), ErrorKind::kDataLoss);
  EXPECT_EQ(server_.requests().size(), before + 2);
  for (const char* body : {"", "not xml", "<Other/>", "<!DOCTYPE x><ListBucketResult/>",
                           "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"}) {
    server_.always(status(200, body));
    EXPECT_EQ(error_of(s3_->list("", false)).kind(), ErrorKind::kDataLoss) << body;
  }
}

TEST_F(S3Faults, APutCarriesItsChecksumsAndTheCondition) {
  ASSERT_TRUE(store_.put_if_absent("a", "hello").has_value());
  const std::string head = server_.last_head();
  for (const char* line : {"content-md5: XUFAKrxLKna5cZ2REBfFkg==", "if-none-match: *", "Content-Length: 5",
                           "x-amz-content-sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}) {
    EXPECT_NE(head.find(line), std::string::npos) << line << "\n" << head;
  }
  EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos);
  EXPECT_EQ(head.find("Expect"), std::string::npos);
}

TEST_F(S3Faults, ARefusedConnectionIsUnavailableWithAHint) {
  std::string endpoint;
  {
    const ScriptedS3 gone;
    endpoint = gone.endpoint();
  }
  const Error error = error_of(open(endpoint, clock_)->get("a", 10));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(says(error, "s3://bucket")) << error.to_string();
  EXPECT_FALSE(error.hint().empty());
}

TEST_F(S3Faults, TlsIsCheckedAgainstTheGivenAuthority) {
  const TemporaryDirectory directory;
  const TlsAuthority ours(directory.path(), "ours");
  const TlsAuthority other(directory.path(), "other");
  const TlsOptions right = ours.issue("right", "IP:127.0.0.1");
  const TlsOptions wrong_name = ours.issue("wrong", "DNS:elsewhere.example");
  const ScriptedS3 good(&right);
  const ScriptedS3 misnamed(&wrong_name);
  EXPECT_EQ(open(good.endpoint(), clock_, ours.ca_file())->put_if_absent("a", MemoryBody("x")).value(),
            PutOutcome::kCreated);
  EXPECT_EQ(error_of(open(good.endpoint(), clock_, other.ca_file())->get("a", 10)).kind(), ErrorKind::kUnauthenticated);
  EXPECT_EQ(error_of(open(good.endpoint(), clock_)->get("a", 10)).kind(), ErrorKind::kUnauthenticated);
  EXPECT_EQ(error_of(open(misnamed.endpoint(), clock_, ours.ca_file())->get("a", 10)).kind(),
            ErrorKind::kUnauthenticated);
  EXPECT_TRUE(misnamed.requests().empty());
}

// Random faults against a model: created is only said of what is there, and a read answers our bytes or an error.
TEST_F(S3Faults, UnderRandomFaultsNothingIsReportedThatIsNotSo) {
  static const std::vector<ScriptedAnswer> kFaults = {
      {.kind = Kind::kHonest}, {.kind = Kind::kLostReply},     {.kind = Kind::kCut}, kSlowDown,
      {.kind = Kind::kHonest}, {.kind = Kind::kTruncatedBody}, status(500),          status(409)};
  for (int round = 0; round < 200; ++round) {
    std::vector<ScriptedAnswer> script;
    for (std::uint64_t i = random_.below(6); i > 0; --i) script.push_back(kFaults[random_.below(kFaults.size())]);
    server_.script(script);
    const std::string name = fmt::format("round-{}", round);
    const std::string bytes = "bytes of " + name;
    const auto outcome = store_.put_if_absent(name, bytes);
    ASSERT_TRUE(outcome.has_value()) << "seed 1, round " << round << ": " << outcome.error().to_string();
    ASSERT_EQ(server_.objects().at("/bucket/" + name), bytes) << round;
    const auto back = store_.get(name, 100);
    ASSERT_TRUE(back.has_value()) << round << ": " << back.error().to_string();
    ASSERT_EQ(*back, bytes) << round;
  }
}

}  // namespace
}  // namespace anclora::storage

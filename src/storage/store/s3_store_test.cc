// The S3 store against a real RADOS Gateway: refusals, outages and kills.
#include "storage/store/s3_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "base/testing/witness.h"
#include "storage/store/retry_store.h"
#include "storage/testing/s3_server.h"

namespace anclora::storage {
namespace {

struct Client {
  std::string bucket;
  std::string secret = S3Server::shared().secret_key();
  std::string access = S3Server::shared().access_key();
  std::string token = "";
  S3Server* server = &S3Server::shared();
  Clock* clock = &system_clock();
  std::string region = "us-east-1";
  Duration total_timeout = std::chrono::seconds(60);

  std::unique_ptr<S3Store> open() const {
    S3Options options;
    options.bucket = bucket;
    options.endpoint = server->endpoint();
    options.path_style = true;
    options.region = region;
    options.http.total_timeout = total_timeout;
    options.http.slowest_bytes_per_second = 1024 * kMiB;
    auto environment = environment_of(
        {{"AWS_ACCESS_KEY_ID", access}, {"AWS_SECRET_ACCESS_KEY", secret}, {"AWS_SESSION_TOKEN", token}});
    return S3Store::open(options, std::make_unique<AwsCredentialsProvider>(environment, posix_file_system(), *clock),
                         *clock)
        .value();
  }
};

template <class T>
Error error_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Error(ErrorKind::kInternal, "no error") : result.error();
}

// The same refusal from every kind of request.
void expect_refused(Store& store, ErrorKind kind, std::string_view words) {
  for (const Error& error : {error_of(store.get("config")), error_of(store.get_range("config", 0, 1)),
                             error_of(store.head("config")), error_of(store.list("", false)), error_of(store.now()),
                             error_of(static_cast<AppendStore&>(store).put_if_absent("config", "x"))}) {
    EXPECT_EQ(error.kind(), kind) << error.to_string();
    EXPECT_NE(error.to_string().find(words), std::string::npos) << error.to_string();
  }
}

TEST(S3Store, AWrongSecretIsNamed) {
  Client client{S3Server::shared().make_bucket()};
  client.secret = "wrong";
  expect_refused(*client.open(), ErrorKind::kUnauthenticated, "AWS_SECRET_ACCESS_KEY");
}

TEST(S3Store, AnUnknownAccessKeyIsNamed) {
  Client client{S3Server::shared().make_bucket()};
  client.access = "nobody";
  expect_refused(*client.open(), ErrorKind::kUnauthenticated, "AWS_ACCESS_KEY_ID");
}

TEST(S3Store, AMissingBucketIsNeverTakenForAMissingObject) {
  expect_refused(*Client{"no-such-bucket"}.open(), ErrorKind::kFailedPrecondition, "create the bucket");
}

TEST(S3Store, AClockThatIsWrongIsNamedWithBothTimes) {
  ManualClock clock;  // 2026-01-01
  Client client{S3Server::shared().make_bucket()};
  client.clock = &clock;
  expect_refused(*client.open(), ErrorKind::kFailedPrecondition, "this machine's clock says 2026-01-01T");
}

TEST(S3Store, ForeignKeysInTheBucketAreTold) {
  Client client{S3Server::shared().make_bucket()};
  S3Options options;
  options.bucket = client.bucket;
  options.endpoint = client.server->endpoint();
  options.path_style = true;
  auto raw = S3Client::open(options,
                            std::make_unique<AwsCredentialsProvider>(client.server->environment(), posix_file_system(),
                                                                     system_clock()),
                            system_clock())
                 .value();
  for (const char* key : {"with space", "\xc3\xa4", "a//b", "esc\x1b[2J", "plus+and%25", "../up"}) {
    const MemoryBody body("x");
    const auto answer =
        raw->send({.method = "PUT",
                   .key = key,
                   .body = &body,
                   .payload_sha256_hex = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"});
    ASSERT_TRUE(answer.has_value()) << answer.error().to_string();
    ASSERT_EQ(answer->status, 200) << key << answer->body;
  }
  const auto store = client.open();
  ASSERT_TRUE(static_cast<AppendStore&>(*store).put_if_absent("a/ours+1", "x").has_value());
  const auto listing = store->list("", false);
  ASSERT_TRUE(listing.has_value()) << listing.error().to_string();
  ASSERT_EQ(listing->objects.size(), 1U);
  EXPECT_EQ(listing->objects[0].name, "a/ours+1");
  EXPECT_EQ(listing->foreign,
            (std::vector<std::string>{"../up", "\\xc3\\xa4", "a//b", "esc\\x1b[2J", "plus+and%25", "with space"}));
}

TEST(S3Store, AStoppedServerIsADeadlineAndItsUnknownPutIsSettledAfterwards) {
  S3Server server;
  Client client{server.make_bucket()};
  client.server = &server;
  client.total_timeout = std::chrono::seconds(2);
  const auto hasty = client.open();
  server.pause_gateway();
  Witness witness;
  const MonoTime began = system_clock().mono_now();
  const Error error = error_of(hasty->put_if_absent("a", MemoryBody("mine")));
  EXPECT_EQ(error.kind(), ErrorKind::kDeadlineExceeded) << error.to_string();
  EXPECT_LT(system_clock().mono_now() - began, witness.limit(std::chrono::seconds(6)));
  server.resume_gateway();
  client.total_timeout = std::chrono::seconds(60);
  const auto store = client.open();
  RetryStore retried(*store, system_clock(), system_random(), {});
  ASSERT_TRUE(retried.put_if_absent("a", MemoryBody("mine")).has_value());
  EXPECT_EQ(retried.get("a", 100).value(), "mine");
}

// Writers go on while the gateway is killed and started again: what was acknowledged is there, whole.
TEST(S3Store, NothingAcknowledgedIsLostWhenTheGatewayIsKilled) {
  S3Server server;
  Client client{server.make_bucket()};
  client.server = &server;
  const auto store = client.open();
  RetryStore retried(*store, system_clock(), system_random(), {});
  const auto bytes_of = [](int writer, int n) { return fmt::format("{}/{}:{}", writer, n, std::string(5000, 'x')); };
  std::atomic<bool> stop{false};
  std::array<std::atomic<int>, 4> acknowledged{};
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int n = 0; !stop; ++n) {
        const std::string bytes = bytes_of(writer, n);
        const std::string name = fmt::format("w{}/{}", writer, n);
        const auto outcome = retried.put_if_absent(name, MemoryBody(bytes));
        const bool ours = outcome.has_value() && (*outcome == PutOutcome::kCreated || retried.get(name, kMiB) == bytes);
        if (!ours) return;
        acknowledged[static_cast<std::size_t>(writer)] = n + 1;
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    server.kill_gateway();
    server.start_gateway();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  for (int i = 0; i < 15'000 && std::ranges::any_of(acknowledged, [](int each) { return each <= 10; }); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  stop = true;
  writers.clear();
  for (int writer = 0; writer < 4; ++writer) {
    ASSERT_GT(acknowledged[static_cast<std::size_t>(writer)].load(), 10);
    for (int n = 0; n < acknowledged[static_cast<std::size_t>(writer)]; ++n) {
      ASSERT_EQ(retried.get(fmt::format("w{}/{}", writer, n), kMiB).value(), bytes_of(writer, n));
    }
  }
}

}  // namespace
}  // namespace anclora::storage

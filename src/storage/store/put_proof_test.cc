#include "storage/store/put_proof.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/testing/temporary_directory.h"
#include "storage/store/faulty_store.h"
#include "storage/store/folder_store.h"
#include "storage/store/memory_store.h"
#include "storage/store/retry_store.h"
#include "storage/store/store_url.h"
#include "storage/testing/s3_server.h"
#include "storage/testing/source_tree.h"

namespace anclora::storage {
namespace {

std::unique_ptr<Store> open(const std::string& url, Environment environment) {
  return open_store(url, {posix_file_system(), system_clock(), system_random(), std::move(environment), {}, {}})
      .value();
}

TEST(PutProof, AcceptsAFolderAndARealS3ServerAndNamesItsProbe) {
  const TemporaryDirectory directory;
  S3Server& server = S3Server::shared();
  for (const std::string& url : {directory / "repo", server.make_repository_url()}) {
    const auto store = open(url, server.environment());
    const auto probe = prove_put_if_absent(*store, system_random());
    ASSERT_TRUE(probe.has_value()) << probe.error().to_string();
    EXPECT_EQ(store->list("", false)->objects.at(0).name, *probe);
    EXPECT_TRUE(store->remove(*probe).has_value());
    EXPECT_TRUE(store->list("", false)->objects.empty());
  }
}

TEST(PutProof, GoesOnWhenTheReplyOfItsFirstPutWasLost) {
  ManualClock clock;
  MemoryStore memory(clock);
  FaultyStore faulty(memory, clock);
  faulty.schedule(1, {.kind = StoreFault::Kind::kErrorAfter});
  SeededRandom random(3);
  RetryStore retried(faulty, clock, random, {});
  EXPECT_TRUE(prove_put_if_absent(retried, random).has_value());
}

TEST(PutProof, PassesOnTheStoresOwnError) {
  ManualClock clock;
  MemoryStore memory(clock);
  FaultyStore faulty(memory, clock);
  faulty.schedule(2, {.kind = StoreFault::Kind::kErrorBefore, .error = ErrorKind::kPermissionDenied});
  EXPECT_EQ(prove_put_if_absent(faulty, system_random()).error().kind(), ErrorKind::kPermissionDenied);
}

TEST(PutProof, RefusesS3rverWhichIgnoresTheCondition) {
  const std::string folder = source_path("tests/s3");
  if (!std::filesystem::exists(folder + "/node_modules/s3rver")) {
    PipedProcess install({"npm", "ci", "--prefix", folder, "--no-audit", "--no-fund"});
    install.close_input();
    install.read_all(std::chrono::minutes(3));
  }
  ASSERT_TRUE(std::filesystem::exists(folder + "/node_modules/s3rver")) << "npm ci failed in " << folder;
  const TemporaryDirectory directory;
  PipedProcess s3rver({"node", folder + "/ignores_condition.cjs", directory / "objects"});
  const auto ready = s3rver.read_line(std::chrono::seconds(30));
  ASSERT_TRUE(ready.has_value() && ready->starts_with("ready ")) << "s3rver did not start";
  const auto store =
      open("s3://test-bucket/repo", environment_of({{"AWS_ENDPOINT_URL", "http://127.0.0.1:" + ready->substr(6)},
                                                    {"AWS_ACCESS_KEY_ID", "S3RVER"},
                                                    {"AWS_SECRET_ACCESS_KEY", "S3RVER"}}));
  const auto probe = prove_put_if_absent(*store, system_random());
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().kind(), ErrorKind::kUnsupported) << probe.error().to_string();
  EXPECT_NE(probe.error().message().find("ignores If-None-Match"), std::string::npos) << probe.error().to_string();
  EXPECT_NE(probe.error().hint().find("--single-writer"), std::string::npos);
}

}  // namespace
}  // namespace anclora::storage

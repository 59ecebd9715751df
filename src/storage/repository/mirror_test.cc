#include "storage/repository/mirror.h"

#include <gtest/gtest.h>

#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

const std::string kEntry = "sources/default/0000000001/log/00000000000000000007";
const std::string kPack = "sources/default/0000000001/pack/00000000000000000001-00000000000000000006";

class Mirror : public testing::Test {
 protected:
  Mirror() {
    EXPECT_TRUE(from.put_if_absent("config", ByteView("the config")).has_value());
    EXPECT_TRUE(from.put_if_absent(kPack, ByteView("packed")).has_value());
    EXPECT_TRUE(from.put_if_absent(kEntry, ByteView("an entry")).has_value());
  }
  Result<MirrorProgress> pass(MirrorOptions options = {}) { return mirror_once(from, to, clock, options); }

  ManualClock clock;
  MemoryStore from{clock};
  MemoryStore to{clock};
};

TEST_F(Mirror, CopiesAllAndThenNothing) {
  const auto first = pass();
  ASSERT_TRUE(first.has_value()) << first.error().message();
  EXPECT_EQ(first->objects_copied, 3u);
  EXPECT_EQ(first->newest.at("default"), (MirroredEntry{1, 7}));
  const auto second = pass();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->objects_copied, 0u);
  EXPECT_EQ(second->objects_present, 3u);
  EXPECT_EQ(second->objects_compared, 0u);
}

TEST_F(Mirror, CopiesAllOfASafetyCopy) {
  const std::string folder = "safety/before-1/";
  for (const char* name :
       {"0000000001/base/00000000000000000007-0000/000000", "pin/safety", "checkpoint/000000000001/000000000001"})
    ASSERT_TRUE(from.put_if_absent(folder + name, ByteView("kept")).has_value());
  ASSERT_TRUE(pass().has_value());
  EXPECT_EQ(to.list("safety/", false)->objects.size(), 3u);
}

// Something is written while it is listed.
class BusyStore final : public ReadStore {
 public:
  explicit BusyStore(Store& inner) : inner_(inner) {}
  Result<Listing> list(std::string_view prefix, bool delimited) override {
    auto listing = inner_.list(prefix, delimited);
    if (prefix == "sources/" && ++listings == 1) {
      EXPECT_TRUE(
          inner_.put_if_absent("sources/default/0000000001/log/00000000000000000008", ByteView("more")).has_value());
      EXPECT_TRUE(inner_.put_if_absent("records/verify/1", ByteView("it has come to entry 8")).has_value());
    }
    return listing;
  }
  Result<Bytes> get(std::string_view name, std::uint64_t limit) override { return inner_.get(name, limit); }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override {
    return inner_.get_range(name, offset, size);
  }
  Result<ObjectInfo> head(std::string_view name) override { return inner_.head(name); }
  Result<WallTime> now() override { return inner_.now(); }
  std::string describe() const override { return inner_.describe(); }

 private:
  Store& inner_;
  int listings = 0;
};

TEST_F(Mirror, CopiesNoRecordOfWhatItDidNotCopy) {
  BusyStore busy(from);
  const auto progress = mirror_once(busy, to, clock, {});
  ASSERT_TRUE(progress.has_value());
  EXPECT_EQ(progress->newest.at("default"), (MirroredEntry{1, 7}));
  EXPECT_TRUE(to.list("records/", false)->objects.empty());
  ASSERT_TRUE(pass().has_value());
  EXPECT_EQ(to.list("records/", false)->objects.size(), 1u);
}

TEST_F(Mirror, NoticesOtherBytesOfTheSameSizeWhenItComparesThem) {
  ASSERT_TRUE(pass().has_value());
  MirrorOptions checksum;
  checksum.checksum = true;
  const auto compared = pass(checksum);
  ASSERT_TRUE(compared.has_value());
  EXPECT_EQ(compared->objects_compared, 3u);
  ASSERT_TRUE(to.remove(kPack).has_value());
  ASSERT_TRUE(to.put_if_absent(kPack, ByteView("pecked")).has_value());
  EXPECT_TRUE(pass().has_value()) << "sizes alone do not tell";
  const auto noticed = pass(checksum);
  ASSERT_FALSE(noticed.has_value());
  EXPECT_EQ(noticed.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(noticed.error().message().find(kPack), std::string::npos);
  EXPECT_EQ(static_cast<ReadStore&>(to).get(kPack).value(), "pecked") << "nothing is overwritten";
}

TEST_F(Mirror, NoticesAnotherSizeAtOnce) {
  ASSERT_TRUE(pass().has_value());
  ASSERT_TRUE(to.remove(kEntry).has_value());
  ASSERT_TRUE(to.put_if_absent(kEntry, ByteView("another entry")).has_value());
  EXPECT_EQ(pass().error().kind(), ErrorKind::kDataLoss);
}

TEST_F(Mirror, WritesNothingAnyMoreOnceItWasPromotedInTheMiddleOfAPass) {
  int asked = 0;
  MirrorOptions options;
  options.stop = [&] {
    if (++asked == 2) {  // "config" is copied
      EXPECT_TRUE(promote_mirror(to, clock).has_value());
      clock.advance(options.role_every);
    }
    return false;
  };
  const auto stopped = pass(options);
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(stopped.error().message().find("was promoted"), std::string::npos);
  EXPECT_FALSE(to.head(kPack).has_value());
  EXPECT_FALSE(to.head(kEntry).has_value());
}

TEST_F(Mirror, RefusesARepositoryOfItsOwn) {
  ASSERT_TRUE(to.put_if_absent("config", ByteView("of another")).has_value());
  EXPECT_EQ(pass().error().kind(), ErrorKind::kFailedPrecondition);
}

}  // namespace
}  // namespace anclora::storage

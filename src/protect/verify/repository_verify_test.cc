#include "protect/verify/repository_verify.h"

#include <gtest/gtest.h>

#include "protect/testing/source_builder.h"
#include "storage/repository/pin.h"

namespace anclora::protect {
namespace {

using storage::TimelineId;

WallTime at(int seconds) { return WallTime(std::chrono::seconds(1'790'000'000 + seconds)); }

struct Sample {
  SourceBuilder source;
  storage::BaseInfo base;
  storage::PackInfo pack;

  explicit Sample(bool encrypted = true) : source("default", encrypted) {
    source.open_timeline(redis::Offset{0}, at(0));
    base = source.base(empty_rdb(), at(0));
    for (int i = 0; i < 20; ++i) {
      source.command({"SET", "k" + std::to_string(i), Bytes(100, 'v')}, at(i));
      source.seal();
      if (i == 9) pack = source.pack();
    }
  }

  VerifyReport verify(double percent = 100, std::uint64_t seed = 1) {
    VerifyOptions options;
    options.percent = percent;
    options.seed = seed;
    auto report = verify_repository(source.store(), source.repository(), source.clock(), options);
    EXPECT_TRUE(report.has_value()) << report.error().to_string();
    return report.value_or(VerifyReport{});
  }
  std::vector<std::string> objects(const std::string& containing) {
    std::vector<std::string> names;
    const auto listing = source.store().list("", false);
    for (const auto& object : listing->objects)
      if (object.name.find(containing) != std::string::npos) names.push_back(object.name);
    return names;
  }
  void flip(const std::string& name, std::size_t place) {
    Bytes bytes = *source.store().get(name, kMiB * 64);
    place = std::min(place, bytes.size() - 1);
    bytes[place] = static_cast<char>(bytes[place] ^ 0x10);
    source.store().overwrite(name, bytes);
  }
};

TEST(RepositoryVerify, FindsNothingWrongInAWholeRepository) {
  for (const bool encrypted : {true, false}) {
    Sample sample(encrypted);
    const VerifyReport report = sample.verify();
    EXPECT_TRUE(report.ok()) << to_text(report);
    EXPECT_EQ(report.counts.bases, 1u);
    EXPECT_EQ(report.counts.packs, 1u);
    EXPECT_GE(report.counts.entries, 20u);
    EXPECT_GE(report.counts.checkpoints, 3u);
    EXPECT_EQ(report.foreign_count, 0u) << to_text(report);
  }
}

TEST(RepositoryVerify, NamesEveryObjectInWhichABitFlipped) {
  for (const char* kind : {"/log/", "/pack/", "/base/", "/checkpoint/", "keys/"}) {
    Sample sample;
    const auto names = sample.objects(kind);
    ASSERT_FALSE(names.empty()) << kind;
    const std::string name = names[names.size() / 2];
    sample.flip(name, 1'000'000);
    const VerifyReport report = sample.verify();
    ASSERT_FALSE(report.ok()) << "a flip in " << name << " was not found";
    EXPECT_NE(to_text(report).find(std::string(kind).substr(kind[0] == '/' ? 1 : 0)), std::string::npos)
        << to_text(report);
    EXPECT_FALSE(report.bad.front().advice.empty());
  }
}

TEST(RepositoryVerify, NamesABaseWithSomethingBehindAPartOrAPartTooMany) {
  const std::string part = Sample().objects("/base/").front();
  ASSERT_TRUE(part.ends_with("/000000")) << part;
  for (const std::string& name : {part, part.substr(0, part.size() - 1) + "1"}) {
    Sample sample;
    const auto there = sample.source.store().get(name, kMiB * 64);
    sample.source.store().overwrite(name, there.value_or(Bytes()) + "x");
    const VerifyReport report = sample.verify();
    ASSERT_EQ(report.bad_count, 1u) << name << "\n" << to_text(report);
    EXPECT_TRUE(part.starts_with(report.bad.front().object)) << report.bad.front().object;
  }
}

TEST(RepositoryVerify, NamesAMissingEntryAndAMissingBase) {
  Sample sample;
  const auto entries = sample.objects("/log/");
  const std::string last = entries[entries.size() - 3];
  ASSERT_TRUE(sample.source.store().remove(last).has_value());
  const VerifyReport report = sample.verify();
  ASSERT_EQ(report.bad_count, 1u) << to_text(report);
  EXPECT_EQ(report.bad.front().object, last);
  EXPECT_NE(report.bad.front().what.find("missing"), std::string::npos);

  Sample other;
  for (const std::string& name : other.objects("/base/")) ASSERT_TRUE(other.source.store().remove(name).has_value());
  EXPECT_FALSE(other.verify().ok());
}

TEST(RepositoryVerify, NamesAMissingPackWhileItsEntriesStillStand) {
  Sample sample;
  const std::string pack = sample.objects("/pack/").front();
  ASSERT_TRUE(sample.source.store().remove(pack).has_value());
  const VerifyReport report = sample.verify();
  ASSERT_EQ(report.bad_count, 1u) << to_text(report);
  EXPECT_EQ(report.bad.front().object, pack);
}

TEST(RepositoryVerify, FindsEntriesThatASwapPutInEachOthersPlace) {
  Sample sample;
  const auto entries = sample.objects("/log/");
  const Bytes a = *sample.source.store().get(entries[entries.size() - 2], kMiB);
  const Bytes b = *sample.source.store().get(entries[entries.size() - 3], kMiB);
  sample.source.store().overwrite(entries[entries.size() - 2], b);
  sample.source.store().overwrite(entries[entries.size() - 3], a);
  EXPECT_EQ(sample.verify().bad_count, 2u);
}

TEST(RepositoryVerify, AcceptsThatPackedEntriesAreGone) {
  Sample sample;
  for (std::uint64_t i = sample.pack.first_sequence; i <= sample.pack.last_sequence; ++i)
    ASSERT_TRUE(sample.source.store().remove(storage::layout::log_entry("default", TimelineId{1}, i)).has_value());
  const VerifyReport report = sample.verify();
  EXPECT_TRUE(report.ok()) << to_text(report);
}

TEST(RepositoryVerify, ListsForeignFilesAndWhatCountsForNothing) {
  Sample sample;
  ASSERT_TRUE(sample.source.store().put_if_absent("sources/default/notes.txt", "hello").has_value());
  ASSERT_TRUE(sample.source.store().put_if_absent("README", "hello").has_value());
  ASSERT_TRUE(
      sample.source.store()
          .put_if_absent(storage::layout::base_part("default", TimelineId{1}, "00000000000000000077-0000", 0), "x")
          .has_value());
  EXPECT_EQ(sample.verify().uncounted_count, 0u);  // somebody may be at work on it
  sample.source.clock().sleep_for(std::chrono::hours(1));
  const VerifyReport report = sample.verify();
  EXPECT_TRUE(report.ok()) << to_text(report);
  EXPECT_EQ(report.foreign_count, 2u) << to_text(report);
  EXPECT_EQ(report.uncounted_count, 1u) << to_text(report);
}

TEST(RepositoryVerify, ReadsTheSameSampleForTheSameSeed) {
  Sample sample;
  const VerifyReport all = sample.verify();
  const VerifyReport some = sample.verify(30, 5);
  EXPECT_LT(some.counts.bytes_read, all.counts.bytes_read);
  EXPECT_EQ(some.counts.bytes_read, sample.verify(30, 5).counts.bytes_read);
  VerifyOptions options;
  options.percent = 0;
  EXPECT_FALSE(
      verify_repository(sample.source.store(), sample.source.repository(), sample.source.clock(), options).has_value());
}

TEST(RepositoryVerify, KeepsARecordThatTheNextVerificationReads) {
  Sample sample;
  const auto name =
      write_verify_record(sample.source.store(), sample.source.repository(), sample.verify(), sample.source.random());
  ASSERT_TRUE(name.has_value()) << name.error().to_string();
  EXPECT_TRUE(name->starts_with("records/verify/"));
  const VerifyReport report = sample.verify();
  EXPECT_TRUE(report.ok()) << to_text(report);
  EXPECT_EQ(report.counts.records, 1u);
}

TEST(RepositoryVerify, NamesAPinThatCannotBeRestored) {
  Sample sample;
  storage::Pin pin;
  pin.name = "lost";
  pin.position = {TimelineId{9}, redis::Offset{5}};
  ASSERT_TRUE(
      storage::write_pin(sample.source.store(), sample.source.repository(), "default", pin, sample.source.random())
          .has_value());
  EXPECT_EQ(sample.verify().bad_count, 1u);
}

TEST(RepositoryVerify, NamesATagInWhosePlaceAFolderStands) {
  Sample sample;
  ASSERT_TRUE(sample.source.store().put_if_absent("sources/default/pin/before/inside", "x").has_value());
  const VerifyReport report = sample.verify();
  ASSERT_EQ(report.bad_count, 1u);
  EXPECT_NE(to_text(report).find("sources/default/pin/before"), std::string::npos) << to_text(report);
}

struct Remembered : ::testing::Test {
  Sample sample;
  int rounds = 0;

  void remember() { EXPECT_EQ(verified(), ""); }
  void remove(const std::string& name) { ASSERT_TRUE(sample.source.store().remove(name).has_value()) << name; }
  // What the next verification says, as one text; its record is written too.
  std::string verified() {
    VerifyReport report = sample.verify();
    report.started = report.started + std::chrono::seconds(++rounds);
    EXPECT_TRUE(write_verify_record(sample.source.store(), sample.source.repository(), report, sample.source.random())
                    .has_value());
    return report.ok() ? "" : to_text(report);
  }
};

using RepositoryVerifyRemembers = Remembered;

TEST_F(RepositoryVerifyRemembers, TheNewestEntriesThatAreGone) {
  remember();
  const auto entries = sample.objects("/log/");
  remove(entries.back());
  remove(entries[entries.size() - 2]);
  for (int round = 0; round < 2; ++round) {
    const std::string text = verified();
    EXPECT_NE(text.find(entries[entries.size() - 2]), std::string::npos) << text;
    EXPECT_NE(text.find("the newest 2 log entries"), std::string::npos) << text;
  }
}

TEST_F(RepositoryVerifyRemembers, TheNewestCheckpointThoughItsPackIsCoveredByEntries) {
  remember();
  const std::string newest = sample.objects("/checkpoint/").back();
  remove(newest);
  const std::string text = verified();
  EXPECT_NE(text.find(newest), std::string::npos) << text;
}

TEST_F(RepositoryVerifyRemembers, ARecoveryKeyUntilThereIsANewOne) {
  const auto add = [&] {
    ASSERT_TRUE(storage::add_key_slot(sample.source.store(), sample.source.repository(), std::nullopt,
                                      sample.source.clock(), sample.source.random())
                    .has_value());
  };
  add();
  remember();
  const std::string slot = sample.objects("keys/recovery-").front();
  remove(slot);
  for (int round = 0; round < 2; ++round) EXPECT_NE(verified().find(slot), std::string::npos);
  add();
  EXPECT_NE(verified().find(slot), std::string::npos);
  EXPECT_EQ(verified(), "");
}

TEST_F(RepositoryVerifyRemembers, NothingOfAKeyThatWasRemovedByCommand) {
  ASSERT_TRUE(storage::add_key_slot(sample.source.store(), sample.source.repository(), std::nullopt,
                                    sample.source.clock(), sample.source.random())
                  .has_value());
  remember();
  const std::string slot = sample.objects("keys/recovery-").front().substr(5);
  ASSERT_TRUE(storage::remove_key_slot(sample.source.store(), sample.source.repository(), slot, sample.source.random())
                  .has_value());
  EXPECT_EQ(verified(), "");
}

TEST_F(RepositoryVerifyRemembers, ASourceOfWhichNothingIsLeft) {
  remember();
  for (const std::string& name : sample.objects("sources/default/")) remove(name);
  for (int round = 0; round < 2; ++round)
    EXPECT_NE(verified().find("nothing of this source is left"), std::string::npos);
}

TEST(RepositoryVerify, MissesEntriesThatABaseOrSomebodyElseKnows) {
  Sample sample;
  VerifyOptions options;
  options.sightings.push_back({{"default", 1, 500, 0}, "the outbox"});
  auto report = verify_repository(sample.source.store(), sample.source.repository(), sample.source.clock(), options);
  ASSERT_TRUE(report.has_value());
  EXPECT_NE(to_text(*report).find("the outbox saw entry 500 of timeline 1"), std::string::npos) << to_text(*report);

  sample.source.base(empty_rdb(), at(30));
  const auto entries = sample.objects("/log/");
  for (std::size_t i = entries.size() - 3; i < entries.size(); ++i)
    ASSERT_TRUE(sample.source.store().remove(entries[i]).has_value());
  const VerifyReport cut = sample.verify();
  EXPECT_FALSE(cut.ok());
  EXPECT_NE(to_text(cut).find(entries[entries.size() - 3]), std::string::npos) << to_text(cut);
}

}  // namespace
}  // namespace anclora::protect

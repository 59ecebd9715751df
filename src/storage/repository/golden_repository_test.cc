// The repositories in tests/golden/ were written by the first release and stay readable for ever: by us, and
// by the script in docs/formats/ without us. They are made once: ANCLORA_WRITE_GOLDEN=DIR runs the test that writes
// them.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/subprocess.h"
#include "storage/repository/log_reader.h"
#include "storage/repository/pin.h"
#include "storage/repository/record.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/folder_store.h"
#include "storage/testing/source_tree.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kPassphrase = "golden passphrase";
constexpr std::string_view kSet = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";
constexpr std::uint64_t kStart = 100;
constexpr std::uint64_t kSecondStart = 5000;

// Timeline 1: base, pack, tail; a gap; timeline 2: base, pack, tail.
void write_history(Store& store, const Repository& repository, ManualClock& clock, Random& random) {
  TestSource source(store, repository, clock, random);
  source.open_first(kStart);
  source.append(kPing);
  CheckpointDelta delta;
  delta.url = "redis://source.example:6379";
  delta.opened = {source.opened()};
  delta.bases = {source.base(tiny_rdb("the first base"))};
  source.append(kSet);
  delta.packs = {source.pack()};
  source.checkpoint(delta);
  source.append(kPing);
  source.append_kind(EntryKind::kRename, std::string(40, 'b'));
  source.append(kSet);
  ASSERT_TRUE(
      write_pin(
          store, repository, "default",
          {"before-release", {TimelineId{1}, source.tip().last}, clock.wall_now(), clock.wall_now(), {}, "golden"},
          random)
          .has_value());
  ASSERT_TRUE(write_record(store, repository, "verification", "2026-01-01", "{\"checked\":true}", random).has_value());
  source.append_kind(EntryKind::kClosed, "full resync");
  CheckpointDelta second;
  second.packs = {source.pack()};
  second.ends = {timeline_end(source.entries().back().entry, source.entries().back().hash)};
  source.checkpoint(second);
  source.open({OriginKind::kGap, {TimelineId{1}, source.tip().last}, clock.wall_now(), "full resync"},
              redis::Offset{kSecondStart}, std::string(40, 'c'));
  CheckpointDelta third;
  third.opened = {source.opened()};
  third.bases = {source.base(tiny_rdb("the second base"))};
  source.append(kSet);
  third.packs = {source.pack()};
  source.checkpoint(third);
  source.append(kPing);
  source.append_kind(EntryKind::kClaim, "restarted");
  source.append(kSet);
}

// As many jobs as make a command frame, each of its kinds of slots in them.
Bytes jobs(std::size_t size, std::uint64_t first) {
  Bytes stream;
  for (std::uint64_t id = first; stream.size() < size; ++id) {
    const std::string key = "job:" + std::to_string(id);
    const std::string text = (id % 2 == 0 ? "Ana" : "Luis") + std::string(", order ") + std::to_string(id * id);
    const std::string hash = to_hex(hash256(key));
    const std::string note = id % 5 == 0 ? "a note; of other words" : "-";
    stream += "*10\r\n$4\r\nHSET\r\n";
    for (const std::string& each :
         {key, std::string("text"), text, std::string("at"), std::to_string(1'767'225'600'000 + id),
          std::string("hash"), hash, std::string("note"), note})
      stream += "$" + std::to_string(each.size()) + "\r\n" + each + "\r\n";
  }
  return stream;
}

// A base; a small entry and a large one in a pack, and a large one behind it.
void write_commands(Store& store, const Repository& repository, ManualClock& clock, Random& random) {
  TestSource source(store, repository, clock, random);
  source.open_first(kStart);
  CheckpointDelta delta;
  delta.opened = {source.opened()};
  delta.bases = {source.base(tiny_rdb("before the commands"))};
  source.append(jobs(100 * kKiB, 1));
  source.append(jobs(300 * kKiB, 1000));
  delta.packs = {source.pack()};
  source.checkpoint(delta);
  source.append(jobs(300 * kKiB, 2000));
}

void write_golden(const std::string& folder, bool encrypted, bool command_frames) {
  ManualClock clock;
  SeededRandom random(20260101);
  FolderStore store(posix_file_system(), random, folder);
  InitOptions options;
  options.encrypted = encrypted;
  options.command_frames = command_frames;
  if (encrypted) options.passphrase = Secret(std::string(kPassphrase));
  ASSERT_TRUE(Repository::init(store, options, clock, random).has_value());
  const Repository repository = *Repository::open(store, {Secret(std::string(kPassphrase)), std::nullopt});
  if (command_frames)
    write_commands(store, repository, clock, random);
  else
    write_history(store, repository, clock, random);
}

class GoldenRepository : public ::testing::TestWithParam<const char*> {
 protected:
  std::string folder() const { return source_path(std::string("tests/golden/") + GetParam()); }
  bool holds_commands() const { return std::string_view(GetParam()).starts_with("command-frames"); }
  Repository open() {
    auto opened = Repository::open(store_, {Secret(std::string(kPassphrase)), std::nullopt});
    EXPECT_TRUE(opened.has_value()) << opened.error().to_string();
    return *opened;
  }
  Bytes read_base(const Repository& repository, const BaseInfo& base) {
    auto reader = BaseReader::open(store_, repository, "default", base);
    EXPECT_TRUE(reader.has_value()) << reader.error().to_string();
    Bytes rdb;
    while (reader->read(rdb).value() > 0) {
    }
    return rdb;
  }
  Bytes read_stream(const Repository& repository, const SourceState& state, Position from, Position to) {
    auto reader = LogReader::open(store_, repository, state, from, to);
    EXPECT_TRUE(reader.has_value()) << reader.error().to_string();
    Bytes stream;
    while (true) {
      auto entry = reader->next();
      EXPECT_TRUE(entry.has_value()) << entry.error().to_string();
      if (!entry || !*entry) return stream;
      stream += (*entry)->bytes;
    }
  }

  SeededRandom random_{1};
  FolderStore store_{posix_file_system(), random_, folder()};
};

using GoldenHistory = GoldenRepository;

TEST_P(GoldenHistory, OfFormat1StaysReadable) {
  const Repository repository = open();
  EXPECT_EQ(repository.encrypted(), std::string_view(GetParam()).ends_with("encrypted"));
  EXPECT_EQ(repository.command_tuning(), FrameTuning::kCommandsByZstd);
  const auto loaded = load_source_state(store_, repository, "default");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().to_string();
  const SourceState& state = *loaded;
  EXPECT_EQ(state.url, "redis://source.example:6379");
  ASSERT_EQ(state.timelines.size(), 2U);
  const TimelineState& first = state.timelines[0];
  EXPECT_TRUE(first.closed);
  EXPECT_EQ(first.close_reason, "full resync");
  EXPECT_EQ(first.replication_id, std::string(40, 'b'));
  const std::string stream = std::string(kPing) + std::string(kSet) + std::string(kPing) + std::string(kSet);
  const redis::Offset end{kStart + stream.size()};
  EXPECT_EQ(read_stream(repository, state, {first.id, first.start}, {first.id, end}), stream);
  EXPECT_EQ(read_base(repository, first.bases.at(0)), tiny_rdb("the first base"));
  const std::vector<GapRecord> holes = gaps(state);
  ASSERT_EQ(holes.size(), 1U);
  EXPECT_EQ(holes[0].before, (Position{first.id, end}));
  const std::vector<RecoveryWindow> windows = recovery_windows(state);
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[1].from.offset, redis::Offset{kSecondStart});
  EXPECT_EQ(windows[1].to.offset, redis::Offset{kSecondStart + 2 * kSet.size() + kPing.size()});
  EXPECT_EQ(read_pin(store_, repository, "default", "before-release")->position, (Position{first.id, end}));
  EXPECT_EQ(read_record(store_, repository, "verification", "2026-01-01").value(), "{\"checked\":true}");
  EXPECT_EQ(list_key_slots(store_, repository)->size(), repository.encrypted() ? 2U : 0U);
}

using GoldenCommands = GoldenRepository;

TEST_P(GoldenCommands, StayReadable) {
  const Repository repository = open();
  EXPECT_EQ(repository.command_tuning(), FrameTuning::kCommands);
  const SourceState state = load_source_state(store_, repository, "default").value();
  const TimelineState& only = state.timelines.at(0);
  EXPECT_EQ(read_stream(repository, state, {only.id, only.start}, {only.id, state.head->entry.last}),
            jobs(100 * kKiB, 1) + jobs(300 * kKiB, 1000) + jobs(300 * kKiB, 2000));
}

TEST_P(GoldenRepository, IsReadWithoutUsByTheScriptInTheDocuments) {
  const Repository repository = open();
  const SourceState state = load_source_state(store_, repository, "default").value();
  const TimelineState& newest = state.timelines.back();
  TemporaryDirectory out;
  const auto secret = posix_file_system().create(out / "passphrase");
  ASSERT_TRUE((*secret)->append(std::string(kPassphrase) + "\n").has_value());
  SubprocessOptions options;
  options.argv = {"python3",         "-B",           source_path("docs/formats/read_repository.py"),
                  folder(),          "--rdb",        out / "rdb",
                  "--stream",        out / "stream", "--passphrase-file",
                  out / "passphrase"};
  options.output_file = out / "log";
  const auto python = Subprocess::start(options);
  ASSERT_TRUE(python.has_value()) << python.error().to_string();
  const auto status = (*python)->wait(std::chrono::seconds(60));
  ASSERT_EQ(status, 0) << posix_file_system().read_all(out / "log").value_or("");
  EXPECT_EQ(posix_file_system().read_all(out / "rdb").value(), read_base(repository, newest.bases.back()));
  const Bytes stream =
      read_stream(repository, state, {newest.id, newest.bases.back().offset}, {newest.id, state.head->entry.last});
  EXPECT_EQ(posix_file_system().read_all(out / "stream").value(), stream);
  if (!holds_commands()) {
    EXPECT_EQ(stream, std::string(kSet) + std::string(kPing) + std::string(kSet));
  }
}

// What an expire retires under a mark that another expire replaced meanwhile still counts.
TEST(GoldenRepositoryScript, PassesOverWhatIsRetiredUnderAMarkThatIsNotInForce) {
  for (const bool in_force : {false, true}) {
    TemporaryDirectory folder;
    ManualClock clock;
    SeededRandom random(7);
    FolderStore store(posix_file_system(), random, folder / "repository");
    InitOptions plain;
    plain.encrypted = false;
    ASSERT_TRUE(Repository::init(store, plain, clock, random).has_value());
    const Repository repository = *Repository::open(store, {});
    TestSource source(store, repository, clock, random);
    source.open_first();
    CheckpointDelta delta;
    delta.opened = {source.opened()};
    delta.bases = {source.base(tiny_rdb("older"))};
    source.append(kSet);
    delta.bases.push_back(source.base(tiny_rdb("newer"), "scratch", 2));
    source.checkpoint(delta);
    CheckpointDelta marked;
    marked.retiring = Retirement{"mark", {delta.bases[1]}, {}, {}, {}};
    source.checkpoint(marked);
    CheckpointDelta retired;
    retired.retired_bases = {delta.bases[1]};
    retired.retires_mark = in_force ? "mark" : "of before";
    source.checkpoint(retired);
    ASSERT_EQ(source.load().timelines[0].bases.size(), in_force ? 1u : 2u);
    SubprocessOptions options;
    options.argv = {"python3",
                    "-B",
                    source_path("docs/formats/read_repository.py"),
                    folder / "repository",
                    "--rdb",
                    folder / "rdb",
                    "--stream",
                    folder / "stream"};
    options.output_file = folder / "log";
    const auto python = Subprocess::start(options);
    ASSERT_TRUE(python.has_value()) << python.error().to_string();
    ASSERT_EQ((*python)->wait(std::chrono::seconds(60)), 0)
        << posix_file_system().read_all(folder / "log").value_or("");
    EXPECT_EQ(posix_file_system().read_all(folder / "rdb").value(), tiny_rdb(in_force ? "older" : "newer"));
  }
}

std::string name_of(const ::testing::TestParamInfo<const char*>& info) {
  std::string name;
  for (const char* at = info.param; *at != '\0'; ++at)
    if (std::isalnum(static_cast<unsigned char>(*at)) != 0) name.push_back(*at);
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, GoldenRepository,
                         ::testing::Values("format-1/plain", "format-1/encrypted", "command-frames/encrypted"),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Format1, GoldenHistory, ::testing::Values("format-1/plain", "format-1/encrypted"), name_of);
INSTANTIATE_TEST_SUITE_P(New, GoldenCommands, ::testing::Values("command-frames/encrypted"), name_of);

TEST(GoldenRepositoryWriter, WritesWhenAsked) {
  const char* folder = std::getenv("ANCLORA_WRITE_GOLDEN");
  if (folder == nullptr) GTEST_SKIP() << "ANCLORA_WRITE_GOLDEN is not set";
  write_golden(std::string(folder) + "/format-1/plain", false, false);
  write_golden(std::string(folder) + "/format-1/encrypted", true, false);
  write_golden(std::string(folder) + "/command-frames/encrypted", true, true);
}

}  // namespace
}  // namespace anclora::storage

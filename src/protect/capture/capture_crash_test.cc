// Crashes the whole pipeline at every step of the file system and of the store, starts it again, and checks that
// nothing at or below "protected up to" was lost, that every byte archived is the source's, and that the chain is
// whole.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "base/testing/sanitizer.h"
#include "protect/capture/capture_pipeline.h"
#include "redis/rdb/crc64.h"
#include "redis/resp/reply.h"
#include "storage/repository/log_reader.h"
#include "storage/store/faulty_store.h"
#include "storage/store/folder_store.h"
#include "storage/store/memory_store.h"

namespace anclora::protect {
namespace {

using redis::build_command;
using redis::Offset;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kTicks = 36;

Bytes small_rdb() {
  ByteWriter out;
  out.raw("REDIS0011");
  out.raw(
      ByteView("\xfa\x09redis-ver\x06"
               "7.0.15",
               18));
  out.raw(ByteView("\xfe\x00\xfb\x01\x00", 5));
  out.raw(ByteView("\x00\x03key\x05value\xff", 12));
  out.u64(redis::crc64(0, out.bytes()));
  return out.take();
}

// One unbroken history of a source: what every replica of it received.
struct History {
  std::vector<std::string> replids;  // in force one after the other
  Offset start;
  Bytes bytes;
  Offset end() const { return start + bytes.size(); }
};

// A source that writes by itself, whatever becomes of its replica.
class ScriptedSource {
 public:
  ScriptedSource() { histories_.push_back({{std::string(40, 'a')}, {1000}, {}}); }

  void tick(int number) {
    History& now = histories_.back();
    if (number % 9 == 4) now.bytes += build_command({"SELECT", std::to_string(number % 4)});
    if (number % 5 == 2) {
      now.bytes += build_command({"MULTI"}) + build_command({"SET", "in", "multi"});
      if (number % 2 == 0) now.bytes += build_command({"EXEC"});
    } else if (number % 5 == 3 && (number - 1) % 2 != 0) {
      now.bytes += build_command({"EXEC"});
    }
    now.bytes += build_command({"SET", "key" + std::to_string(number), std::string(40, 'v')});
    if (number % 7 == 6) now.bytes += build_command({"REPLCONF", "GETACK", "*"});
    if (number % 11 == 0) now.bytes += build_command({"PING"});
    if (number == 22) now.replids.push_back(std::string(40, 'b'));                 // a failover that lost nothing
    if (number == 28) histories_.push_back({{std::string(40, 'c')}, {5000}, {}});  // a restart that lost everything
  }
  History& now() { return histories_.back(); }
  const History* of(const std::string& replid) const {
    for (const History& history : histories_)
      for (const std::string& id : history.replids)
        if (id == replid) return &history;
    return nullptr;
  }

 private:
  std::vector<History> histories_;
};

struct Claim {
  storage::Position position;
  int tick = 0;
};

// The world outside the process: disk, store, source, time.
class World {
 public:
  explicit World(bool folder_store) : disk_(clock_), files_(std::make_unique<FaultyFileSystem>(disk_)), random_(7) {
    if (folder_store) {
      backing_ = std::make_unique<storage::FolderStore>(*files_, random_, "/repository");
    } else {
      backing_ = std::make_unique<storage::MemoryStore>(clock_);
    }
    in_folder_ = folder_store;
    storage::InitOptions init;
    init.encrypted = false;
    EXPECT_TRUE(storage::Repository::init(*backing_, init, clock_, random_));
    auto opened = storage::Repository::open(*backing_, {});
    EXPECT_TRUE(opened);
    repository_.emplace(std::move(*opened));
    EXPECT_TRUE(disk_.sync_directory("/"));
    wrap();
    options_.source = *redis::RedisUrl::parse("redis://source:6379");
    first_operation_ = files_->operations();
  }

  // Power off and on.
  void crash(CrashMode mode) {
    disk_.crash(mode, random_);
    files_ = std::make_unique<FaultyFileSystem>(disk_);
    if (in_folder_) backing_ = std::make_unique<storage::FolderStore>(*files_, random_, "/repository");
    wrap();
    if (later_crashes_.empty()) return;
    files_->plan({later_crashes_.front(), FileFault::Kind::kCrash, ErrorKind::kIo, 1});
    later_crashes_.pop_front();
  }
  bool crashed() const { return files_->has_crashed() || store_->crashed(); }

  FaultyFileSystem& files() { return *files_; }
  storage::FaultyStore& store() { return *store_; }
  storage::Store& backing() { return *backing_; }
  const storage::Repository& repository() const { return *repository_; }
  std::uint64_t first_operation() const { return first_operation_; }

  ManualClock clock_;
  ScriptedSource source_;
  CaptureOptions options_;
  int tick_ = 0;
  std::vector<Claim> claims_;
  std::deque<std::uint64_t> later_crashes_;  // the operation of each later life at which the power goes again

  bool store_away() const { return tick_ >= 12 && tick_ < 18; }

 private:
  void wrap() {
    store_ = std::make_unique<storage::FaultyStore>(*backing_, clock_);
    store_->decide([this](const storage::StoreRequest&) -> std::optional<storage::StoreFault> {
      if (store_away()) return storage::StoreFault{};
      return std::nullopt;
    });
  }

  MemoryFileSystem disk_;
  std::unique_ptr<FaultyFileSystem> files_;
  bool in_folder_ = false;
  std::uint64_t first_operation_ = 0;

 public:
  SeededRandom random_;

 private:
  std::unique_ptr<storage::Store> backing_;
  std::unique_ptr<storage::FaultyStore> store_;
  std::optional<storage::Repository> repository_;
};

// One life of the process, in one thread.
class Life {
 public:
  explicit Life(World& world) : world_(world), state_(world.clock_) {}

  // False: the machine went down, or the process ended with an error that a new life may mend.
  bool begin() {
    auto outbox = Outbox::open(world_.files(), world_.random_, "/state/outbox", kMiB);
    if (!outbox) return fail(outbox.error());
    outbox_ = std::move(*outbox);
    const CaptureEnvironment environment{world_.store(), world_.repository(), world_.files(), world_.clock_,
                                         world_.random_};
    auto pipeline = CapturePipeline::begin(environment, world_.options_, *outbox_, state_);
    if (!pipeline) return fail(pipeline.error());
    pipeline_ = std::move(*pipeline);
    return attach();
  }

  // The source writes, we receive and publish.
  bool tick() {
    if (state_.dropped(attachment_) && !attach()) return false;
    const std::string replid = followed_.empty() ? std::string() : followed_;
    const History& now = world_.source_.now();
    if (now.replids.back() != replid && !attach()) return false;
    if (received_ < world_.source_.now().end()) {
      const auto from = static_cast<std::size_t>(received_ - world_.source_.now().start);
      StreamChunk chunk{world_.source_.now().bytes.substr(from), world_.clock_.wall_now(), world_.clock_.mono_now()};
      received_ = world_.source_.now().end();
      if (!handle(std::move(chunk))) return false;
    }
    return work();
  }

  bool work() {
    if (const Status status = pipeline_->encoder().tick(); !status) return fail(status.error());
    for (int i = 0; i < 50; ++i) {
      const auto worked = pipeline_->uploader().step();
      note_claim();
      if (!worked) return fail(worked.error());
      if (!*worked) break;
    }
    if (const Status status = pipeline_->encoder().tick(); !status) return fail(status.error());
    for (int i = 0; i < 50 && (pipeline_->packer().step() || pipeline_->checkpoints().step()); ++i) {
    }
    if (world_.tick_ % 6 == 0 && !pipeline_->queue().save_chain()) return !world_.crashed();
    return !world_.crashed();
  }

  bool all_published() {
    return pipeline_->queue().empty() && state_.status().base_complete && received_ == world_.source_.now().end() &&
           state_.acknowledged() == received_;
  }
  const std::string& why() const { return why_; }
  std::string describe() const {
    const CaptureStatus status = state_.status();
    return "; last error: " + status.last_error + "; received " + std::to_string(received_.value) + ", acknowledged " +
           std::to_string(state_.acknowledged().value) + (status.base_complete ? "" : ", no base") +
           (pipeline_->queue().empty() ? "" : ", queue not empty");
  }

 private:
  bool fail(const Error& error) {
    why_ = error.to_string();
    return false;
  }

  bool handle(decltype(SourceEvent::what) what) {
    const Status status = pipeline_->encoder().handle({attachment_, std::move(what)});
    return status ? !world_.crashed() : fail(status.error());
  }

  bool attach() {
    if (attachment_ > 0 && !handle(LinkLost{})) return false;
    ++attachment_;
    History& now = world_.source_.now();
    const auto resume = state_.resume();
    const bool known = resume && std::ranges::find(now.replids, resume->replid) != now.replids.end();
    followed_ = now.replids.back();
    if (known && resume->last_received >= now.start && resume->last_received <= now.end()) {
      received_ = resume->last_received;
      return handle(StreamContinued{followed_});
    }
    state_.full_sync_began(attachment_);
    received_ = now.end();
    const Bytes rdb = small_rdb();
    return handle(FullSyncBegan{followed_, received_, "the test's source did not go on"}) &&
           handle(BaseChunk{rdb.substr(0, 20)}) && handle(BaseChunk{rdb.substr(20)}) && handle(BaseReceived{});
  }

  void note_claim() {
    const auto position = state_.protected_up_to();
    if (!position || (!world_.claims_.empty() && world_.claims_.back().position == *position)) return;
    world_.claims_.push_back({*position, world_.tick_});
  }

  World& world_;
  CaptureState state_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<CapturePipeline> pipeline_;
  Attachment attachment_ = 0;
  std::string followed_;
  Offset received_;
  std::string why_;
};

// What the archive says of one timeline that can be restored, against the source's history.
void check_timeline(World& world, const storage::SourceState& state, const storage::TimelineState& timeline) {
  const History* history = world.source_.of(timeline.replication_id);
  ASSERT_NE(history, nullptr) << timeline.replication_id;
  const storage::BaseInfo& base = timeline.bases.front();
  auto rdb = storage::BaseReader::open(world.backing(), world.repository(), state.source, base);
  ASSERT_TRUE(rdb) << rdb.error().to_string();
  Bytes bytes;
  while (true) {
    const auto read = rdb->read(bytes);
    ASSERT_TRUE(read) << read.error().to_string();
    if (*read == 0) break;
  }
  EXPECT_EQ(bytes, small_rdb());
  const Offset last = timeline.end ? timeline.end->last : state.head->entry.last;
  auto log = storage::LogReader::open(world.backing(), world.repository(), state, {timeline.id, timeline.start},
                                      storage::Position{timeline.id, last});
  ASSERT_TRUE(log) << log.error().to_string();
  Offset reached = timeline.start;
  Offset boundary = timeline.start;
  while (true) {
    auto entry = log->next();
    ASSERT_TRUE(entry) << entry.error().to_string();
    if (!*entry) break;
    ASSERT_EQ((*entry)->first, reached);
    const auto at = static_cast<std::size_t>((*entry)->first - history->start);
    ASSERT_EQ((*entry)->bytes, history->bytes.substr(at, (*entry)->bytes.size()));
    reached = (*entry)->last;
    boundary = std::max(boundary, (*entry)->boundary);
  }
  EXPECT_EQ(reached, last);
  for (const Claim& claim : world.claims_) {
    if (claim.position.timeline != timeline.id) continue;
    EXPECT_LE(claim.position.offset, boundary) << "was protected at tick " << claim.tick << " and is lost";
    EXPECT_GE(claim.position.offset, base.offset);
  }
}

void check_archive(World& world) {
  const auto state = storage::load_source_state(world.backing(), world.repository(), "default");
  ASSERT_TRUE(state) << state.error().to_string();
  std::map<std::uint32_t, bool> restorable;
  for (const auto& timeline : state->timelines) {
    if (timeline.bases.empty()) continue;
    restorable[timeline.id.value] = true;
    check_timeline(world, *state, timeline);
  }
  for (const Claim& claim : world.claims_)
    EXPECT_TRUE(restorable[claim.position.timeline.value]) << "timeline " << claim.position.timeline.value;
}

// Runs the script through as many lives as it takes. `before`: prepares faults for the first life.
void run(World& world, CrashMode mode, const std::string& what) {
  int lives = 0;
  for (bool done = false; !done;) {
    ASSERT_LT(++lives, 40) << what;
    Life life(world);
    bool alive = life.begin();
    for (int settling = 0; alive && !done;) {
      world.clock_.advance(world.tick_ < kTicks ? milliseconds(60) : milliseconds(700));
      if (world.tick_ < kTicks) {
        world.source_.tick(world.tick_++);
      } else {
        ASSERT_LT(++settling, 400) << what << ": does not come to rest; " << life.why() << world.files().last_fault()
                                   << life.describe();
      }
      alive = life.tick();
      done = alive && world.tick_ >= kTicks && life.all_published();
    }
    if (done) break;
    if (world.crashed()) {
      world.crash(mode);
    } else {
      // An error ended it, or the store was away when it began; the source goes on.
      if (world.tick_ < kTicks) world.source_.tick(world.tick_++);
      world.clock_.advance(seconds(1));
    }
  }
}

std::uint64_t operations_of_a_run(bool folder_store, std::uint64_t& requests) {
  World world(folder_store);
  run(world, CrashMode::kDropUnsynced, "without faults");
  check_archive(world);
  requests = world.store().request_count();
  return world.files().operations();
}

TEST(CaptureCrash, WithoutFaultsEverythingIsArchived) {
  for (const bool folder : {true, false}) {
    World world(folder);
    run(world, CrashMode::kDropUnsynced, "without faults");
    check_archive(world);
    const auto state = storage::load_source_state(world.backing(), world.repository(), "default");
    ASSERT_TRUE(state);
    EXPECT_EQ(state->timelines.size(), 2u);
    EXPECT_FALSE(world.claims_.empty());
  }
}

// Each point runs in one thread: ThreadSanitizer need not see every one. Prime, so that each kind of fault has its
// turn.
constexpr std::size_t kStride = kThreadSanitizer ? 23 : 1;

// Every point on its own world, on all processors.
void sweep(std::size_t points, const std::function<void(std::size_t)>& one) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // the same buffers over and over: not one page fault after another for them
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
    workers.emplace_back([&] {
      for (std::size_t point = next.fetch_add(kStride); point < points && !testing::Test::HasFailure();
           point = next.fetch_add(kStride))
        one(point);
    });
  for (std::thread& worker : workers) worker.join();
  std::cout << points / kStride << " points\n";
}

TEST(CaptureCrash, SurvivesAPowerCutAtEveryFileOperation) {
  std::uint64_t requests = 0;
  const std::uint64_t last = operations_of_a_run(true, requests);
  const std::uint64_t first = World(true).first_operation() + 1;
  sweep((last - first + 1) * std::size(kAllCrashModes), [&](std::size_t point) {
    const std::uint64_t operation = first + point / std::size(kAllCrashModes);
    const CrashMode mode = kAllCrashModes[point % std::size(kAllCrashModes)];
    World world(true);
    world.files().plan({operation, FileFault::Kind::kCrash, ErrorKind::kIo, 1});
    const std::string what = "operation " + std::to_string(operation) + ", " + std::string(to_string(mode));
    SCOPED_TRACE(what);
    run(world, mode, what);
    check_archive(world);
  });
}

TEST(CaptureCrash, SurvivesPowerCutsDuringItsOwnRecovery) {
  constexpr std::size_t kPoints = 1200;
  std::uint64_t requests = 0;
  const std::uint64_t last = operations_of_a_run(true, requests);
  const std::uint64_t first = World(true).first_operation() + 1;
  sweep(kPoints, [&](std::size_t point) {
    SeededRandom random(20261124 + point);
    const CrashMode mode = kAllCrashModes[random.below(std::size(kAllCrashModes))];
    World world(true);
    const std::uint64_t operation = first + random.below(last - first + 1);
    world.files().plan({operation, FileFault::Kind::kCrash, ErrorKind::kIo, 1});
    world.later_crashes_ = {1 + random.below(40), 1 + random.below(80)};
    const std::string what = "seed point " + std::to_string(point) + ", " + std::string(to_string(mode));
    SCOPED_TRACE(what);
    run(world, mode, what);
    check_archive(world);
  });
}

TEST(CaptureCrash, SurvivesACrashBeforeAndAfterEveryRequestOfTheStore) {
  std::uint64_t requests = 0;
  operations_of_a_run(false, requests);
  constexpr std::size_t kWays = 2 * std::size(kAllCrashModes);
  sweep(requests * kWays, [&](std::size_t point) {
    const std::uint64_t request = 1 + point / kWays;
    const CrashMode mode = kAllCrashModes[point % std::size(kAllCrashModes)];
    storage::StoreFault fault;
    fault.kind = point % kWays < std::size(kAllCrashModes) ? storage::StoreFault::Kind::kCrashBefore
                                                           : storage::StoreFault::Kind::kCrashAfter;
    World world(false);
    world.store().schedule(request, fault);
    const std::string what = "request " + std::to_string(request) + ", " + std::string(to_string(mode));
    SCOPED_TRACE(what);
    run(world, mode, what);
    check_archive(world);
  });
}

TEST(CaptureCrash, GoesOnAfterEveryFailureOfTheFileSystem) {
  constexpr FileFault::Kind kKinds[] = {FileFault::Kind::kFailBefore, FileFault::Kind::kFailAfter,
                                        FileFault::Kind::kShortAppend};
  std::uint64_t requests = 0;
  const std::uint64_t last = operations_of_a_run(true, requests);
  const std::uint64_t first = World(true).first_operation() + 1;
  sweep((last - first + 1) * std::size(kKinds), [&](std::size_t point) {
    const std::uint64_t operation = first + point / std::size(kKinds);
    World world(true);
    world.files().plan({operation, kKinds[point % std::size(kKinds)],
                        operation % 2 == 0 ? ErrorKind::kIo : ErrorKind::kResourceExhausted, 1});
    const std::string what = "operation " + std::to_string(operation) + " fails";
    SCOPED_TRACE(what);
    run(world, CrashMode::kDropUnsynced, what);
    check_archive(world);
  });
}

TEST(CaptureCrash, GoesOnAfterEveryFailureOfTheStore) {
  constexpr storage::StoreFault::Kind kKinds[] = {storage::StoreFault::Kind::kErrorBefore,
                                                  storage::StoreFault::Kind::kErrorAfter,
                                                  storage::StoreFault::Kind::kTruncatedGet};
  std::uint64_t requests = 0;
  operations_of_a_run(false, requests);
  sweep(requests * std::size(kKinds), [&](std::size_t point) {
    const std::uint64_t request = 1 + point / std::size(kKinds);
    storage::StoreFault fault;
    fault.kind = kKinds[point % std::size(kKinds)];
    World world(false);
    world.store().schedule(request, fault);
    const std::string what = "request " + std::to_string(request) + " fails";
    SCOPED_TRACE(what);
    run(world, CrashMode::kDropUnsynced, what);
    check_archive(world);
  });
}

}  // namespace
}  // namespace anclora::protect

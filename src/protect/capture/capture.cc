#include "protect/capture/capture.h"

#include <fmt/core.h>

#include <thread>
#include <utility>
#include <vector>

#include "base/thread_priority.h"
#include "protect/capture/backoff.h"
#include "protect/capture/base_schedule.h"
#include "protect/capture/event_queue.h"
#include "protect/capture/source_base_maker.h"
#include "protect/capture/source_monitor.h"

namespace anclora::protect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kControlTick = milliseconds(100);
constexpr Duration kMonitorEvery = seconds(1);
constexpr Duration kSaveEvery = seconds(10);
constexpr Duration kBaseCheckEvery = seconds(10);
constexpr Duration kFirstBaseRetry = seconds(30);  // doubled each time: a try may cost the source a fork
constexpr Duration kLongestBaseRetry = std::chrono::minutes(10);
constexpr int kBehindTheSource = 5;  // nicer by: under full load still a third of a share

// As if nothing after `head` had been packed yet: this run does that itself.
void keep_up_to(storage::SourceState& state, const storage::Head& head) {
  std::erase_if(state.timelines, [&](const storage::TimelineState& timeline) { return timeline.id > head.timeline; });
  for (storage::TimelineState& timeline : state.timelines)
    if (timeline.id == head.timeline)
      std::erase_if(timeline.packs, [&](const storage::PackInfo& pack) { return pack.first_sequence > head.sequence; });
  state.head = head;
}

// What was received, is not protected, and goes with this process: nobody was told that it is safe.
Error not_kept(const Error& why, std::size_t entries) {
  return why.with_context(fmt::format("the outbox could not keep {} entries that are not protected yet", entries))
      .with_hint(
          "mend the disk of the outbox, then start capture again: the source sends them again as long as its backlog "
          "holds them, else a gap is recorded");
}

}  // namespace

// Each thread has one function; a failure of any of them is the end of all.
struct Capture::Running {
  Running(Capture& owner, CapturePipeline& the_pipeline)
      : capture(owner),
        pipeline(the_pipeline),
        events(owner.options_.receive_bytes),
        reader({owner.options_.source, owner.options_.ack, owner.dialer_, owner.environment_.clock,
                owner.environment_.random, events, owner.state_, the_pipeline, owner.beats_,
                !owner.environment_.repository.encrypted()}) {}

  void start() {
    threads.emplace_back([this] { read(); });
    threads.emplace_back([this] { stand_back(), encode(); });
    threads.emplace_back([this] { stand_back(), upload(); });
    threads.emplace_back([this] { stand_back(), pack(); });
    threads.emplace_back([this] { control(); });
    if (capture.base_maker_ != nullptr) threads.emplace_back([this] { make_bases(); });
  }

  // On a machine that capture shares with its source, the source goes first (ADR 17). Not the reader: it only takes
  // what is there, and the source would have to keep what it leaves.
  static void stand_back() { be_nicer(kBehindTheSource); }

  void fail(const Error& error) {
    const std::lock_guard lock(mutex);
    if (!failure) failure = error;
  }
  std::optional<Error> failed() {
    const std::lock_guard lock(mutex);
    return failure;
  }

  void read() {
    beat(CaptureThread::kReader);
    if (const Status status = reader.run(); !status) fail(status.error());
    capture.beats_.end(CaptureThread::kReader);
    reader_done = true;
    events.wake();
  }

  void encode() {
    StreamEncoder& encoder = pipeline.encoder();
    while (true) {
      beat(CaptureThread::kEncoder);
      const bool last_round = reader_done;
      // Nothing more comes then: waiting for the next tick would only hold up the end.
      const Duration wait = last_round ? Duration::zero() : encoder.next_tick() - clock().mono_now();
      auto event = events.pop(std::max(wait, Duration::zero()));
      const Status status = event ? encoder.handle(*event) : encoder.tick();
      if (event)
        if (auto* chunk = std::get_if<StreamChunk>(&event->what)) events.recycle(std::move(chunk->bytes));
      if (!status) {
        fail(status.error());
        break;
      }
      tell_what_moved();
      if (last_round && events.empty()) break;
      if (abort) break;
    }
    if (!abort && !failed()) {
      Status status = encoder.seal_all();
      if (status) status = encoder.release();
      if (!status) fail(status.error());
    }
    capture.beats_.end(CaptureThread::kEncoder);
    encoder_done = true;
    pipeline.queue().wake();
  }

  // What is acknowledged moves with what is published, and with PINGs that nobody publishes for a while.
  void tell_what_moved() {
    const redis::Offset acknowledged = capture.state_.acknowledged();
    if (std::exchange(told, acknowledged) != acknowledged) reader.acknowledge();
  }

  void upload() {
    Uploader& uploader = pipeline.uploader();
    UploadQueue& queue = pipeline.queue();
    while (!abort && !(encoder_done && queue.empty())) {
      beat(CaptureThread::kUploader);
      const auto worked = uploader.step();
      if (!worked) {
        fail(worked.error());
        break;
      }
      if (*worked) {
        reader.acknowledge();
        events.wake();
        capture.state_.set_outbox(queue.outbox_bytes(), queue.outbox_entries(), capture.outbox_->limit_bytes());
        continue;
      }
      const Duration wait = uploader.next_step() - clock().mono_now();
      const bool base_comes = capture.state_.base() && !capture.state_.base()->all_put();
      queue.wait(std::clamp<Duration>(wait, milliseconds(1), base_comes ? kControlTick : Duration(kMonitorEvery)),
                 uploader.store_away());
    }
    capture.beats_.end(CaptureThread::kUploader);
    uploader_done = true;
    pipeline.packer().wake();
  }

  void pack() {
    // First what an earlier run did not announce: a base that the log alone tells of is not found behind a pack.
    bool left = pipeline.found().has_value();
    Backoff leftovers(std::chrono::seconds(1), std::chrono::minutes(5));
    while (!uploader_done) {
      if (left && !capture.stopping_ && !pipeline.checkpoints().urgent() && !leftovers.waiting(clock().mono_now())) {
        left = !pack_what_was_left();
        if (left) leftovers.fail(clock().mono_now(), capture.environment_.random);
      }
      // What is published now does not wait for a try that failed.
      const bool first_try = left && !capture.stopping_ && !leftovers.waiting(clock().mono_now());
      if ((!first_try && pipeline.packer().step()) || pipeline.checkpoints().step()) continue;
      pipeline.packer().wait(kControlTick);
    }
  }

  // False: to be tried again.
  bool pack_what_was_left() {
    const Status packed = pack_up_to(*pipeline.found());
    if (!packed) capture.state_.failed(packed.error().with_context("packing what an earlier run left"));
    return packed.has_value();
  }

  // An earlier try may have packed some of it, and expire taken the entries.
  Status pack_up_to(const storage::SourceState& found) {
    const CaptureEnvironment& env = capture.environment_;
    if (!found.head) return {};
    ASSIGN_OR_RETURN(storage::SourceState state,
                     storage::load_source_state(env.store, env.repository, capture.options_.name));
    keep_up_to(state, *found.head);
    return pack_leftovers(env.store, env.repository, env.files, capture.outbox_->folder() + "/leftovers", state,
                          env.clock, env.random, [this] { return capture.stopping_ || abort; });
  }

  void control() {
    SourceMonitor monitor({capture.options_.source, capture.dialer_, clock(), capture.environment_.random,
                           capture.state_, !capture.environment_.repository.encrypted()});
    MonoTime next_poll{}, next_save = clock().mono_now() + kSaveEvery;
    while (!uploader_done) {
      const MonoTime now = clock().mono_now();
      if (now >= next_poll && !capture.stopping_) {
        monitor.poll();
        next_poll = clock().mono_now() + kMonitorEvery;
      }
      if (now >= next_save) {
        if (const Status saved = pipeline.queue().save_chain(); !saved) capture.state_.failed(saved.error());
        next_save = now + kSaveEvery;
      }
      clock().sleep_for(kControlTick);
    }
  }

  void make_bases() {
    BaseSchedule schedule(capture.options_.base_every, capture.options_.replay_limit);
    note_newest_base(schedule);
    MonoTime next = clock().mono_now() + kBaseCheckEvery;
    Backoff failures(kFirstBaseRetry, kLongestBaseRetry);
    while (!uploader_done) {
      clock().sleep_for(kControlTick);
      if (clock().mono_now() < next || capture.stopping_) continue;
      next = clock().mono_now() + kBaseCheckEvery;
      if (const auto base = capture.state_.base(); base && base->all_put() && base->info())
        note(schedule, *base->info());
      if (a_base_would_disturb()) continue;
      const auto at = capture.state_.protected_up_to();
      if (!schedule.due(at, clock().wall_now(), capture.state_.status().commands_received)) continue;
      auto made = capture.base_maker_->make_base(capture.options_.name, *at, capture.state_.source_server());
      if (made) {
        note(schedule, *made);
        capture.state_.count(CaptureState::Count::kBase);
        failures.succeed();
      } else if (made.error().kind() != ErrorKind::kCancelled) {
        capture.state_.failed(made.error().with_context(fmt::format("a base from {}", capture.base_maker_->who())));
        next = failures.fail(clock().mono_now(), capture.environment_.random);
      }
    }
  }

  // While the link brings a base, or has to be found again, the source has enough to do.
  bool a_base_would_disturb() {
    if (const auto base = capture.state_.base(); base && !base->all_put() && !base->abandoned()) return true;
    return capture.options_.base_from == BaseFrom::kSource && capture.state_.status().link != LinkState::kStreaming;
  }

  void note(BaseSchedule& schedule, const storage::BaseInfo& base) {
    const storage::Position position{base.timeline, base.offset};
    if (newest_base && *newest_base >= position) return;
    newest_base = position;
    schedule.made(position, base.time, capture.state_.status().commands_received);
  }

  void note_newest_base(BaseSchedule& schedule) {
    if (!pipeline.found() || pipeline.found()->timelines.empty()) return;
    const auto& timelines = pipeline.found()->timelines;
    for (std::size_t i = timelines.size(); i-- > 0;) {
      for (const storage::BaseInfo& base : timelines[i].bases) note(schedule, base);
      // A fork is restored from its parent's base until it has one.
      if (newest_base || timelines[i].origin.kind != storage::OriginKind::kFork) return;
    }
  }

  void beat(CaptureThread thread) { capture.beats_.beat(thread, clock().mono_now()); }
  Clock& clock() { return capture.environment_.clock; }

  Capture& capture;
  CapturePipeline& pipeline;
  EventQueue events;
  SourceReader reader;
  std::vector<std::thread> threads;
  std::atomic<bool> reader_done{false}, encoder_done{false}, uploader_done{false}, abort{false};
  std::optional<storage::Position> newest_base;
  redis::Offset told;  // the encoder's thread
  std::mutex mutex;
  std::optional<Error> failure;
};

Capture::Capture(const CaptureEnvironment& environment, Dialer& dialer, BaseMaker* base_maker, CaptureOptions options,
                 std::unique_ptr<Outbox> outbox)
    : environment_(environment),
      dialer_(dialer),
      options_(std::move(options)),
      outbox_(std::move(outbox)),
      state_(environment.clock),
      base_maker_(options_.base_from == BaseFrom::kScratch ? base_maker : nullptr) {
  if (options_.base_from == BaseFrom::kSource) {
    by_source_ = std::make_unique<SourceBaseMaker>(SourceBaseMaker::Context{
        options_.source, dialer_, environment_.store, environment_.repository, environment_.files, environment_.clock,
        environment_.random, state_, outbox_->later_base_spool(), !environment_.repository.encrypted()});
    base_maker_ = by_source_.get();
  }
  state_.set_source(options_.name, options_.source.to_string());
  state_.set_outbox(outbox_->pending_bytes(), outbox_->pending().size(), outbox_->limit_bytes());
}

Capture::~Capture() = default;

Result<std::unique_ptr<Capture>> Capture::open(const CaptureEnvironment& environment, Dialer& dialer,
                                               BaseMaker* base_maker, CaptureOptions options,
                                               const std::string& outbox_folder) {
  RETURN_IF_ERROR(storage::check_source_name(options.name));
  ASSIGN_OR_RETURN(auto outbox,
                   Outbox::open(environment.files, environment.random, outbox_folder, options.outbox_limit_bytes));
  return std::unique_ptr<Capture>(new Capture(environment, dialer, base_maker, std::move(options), std::move(outbox)));
}

CaptureStatus Capture::status() const { return state_.status(); }

void Capture::stop(Duration drain_timeout) {
  drain_timeout_us_ = drain_timeout.count();
  stopping_ = true;
  if (base_maker_ != nullptr) base_maker_->cancel();
  const std::lock_guard lock(running_mutex_);
  if (running_ != nullptr) running_->reader.stop();
}

// A store that is away when nothing is known of the log yet is waited for.
Result<std::unique_ptr<CapturePipeline>> Capture::begin() {
  Backoff backoff(milliseconds(200), seconds(30));
  const auto beat = [this] { beats_.beat(CaptureThread::kStart, environment_.clock.mono_now()); };
  while (true) {
    beat();
    auto pipeline = CapturePipeline::begin(environment_, options_, *outbox_, state_);
    if (pipeline || stopping_ || retry_class(pipeline.error().kind()) != RetryClass::kRetry) return pipeline;
    state_.store_failed(pipeline.error());
    state_.set_link(LinkState::kStarting, pipeline.error().message());
    const MonoTime until = backoff.fail(environment_.clock.mono_now(), environment_.random);
    while (!stopping_ && environment_.clock.mono_now() < until) {
      beat();
      environment_.clock.sleep_for(kControlTick);
    }
    if (stopping_) return pipeline;
  }
}

// The log moved on under names that this very holder wrote before it was killed: read it anew and go on behind it.
bool Capture::may_begin_again(const Error& error) {
  if (stopping_) return false;
  if (error.kind() != ErrorKind::kFenced && error.kind() != ErrorKind::kFailedPrecondition) return false;
  const auto state = storage::load_source_state(environment_.store, environment_.repository, options_.name);
  return state && state->head && state->head->entry.holder == outbox_->holder();
}

Status Capture::run() {
  constexpr int kBeginnings = 5;
  Status status;
  for (int i = 0; i < kBeginnings; ++i) {
    auto pipeline = begin();
    beats_.end(CaptureThread::kStart);
    if (!pipeline) {
      status = pipeline.error();
      break;
    }
    if (base_maker_ != nullptr) base_maker_->allow();
    if (base_maker_ != nullptr && stopping_) base_maker_->cancel();
    status = run_once(**pipeline);
    if (status || !may_begin_again(status.error())) break;
    // Not of a log that an earlier run of this holder wrote on: nothing is amiss there.
    if (status.error().kind() == ErrorKind::kFailedPrecondition) state_.failed(status.error());
  }
  state_.set_link(LinkState::kStopped, status ? std::string() : status.error().message());
  return status;
}

Status Capture::run_once(CapturePipeline& pipeline) {
  Running running(*this, pipeline);
  {
    const std::lock_guard lock(running_mutex_);
    running_ = &running;
  }
  if (stopping_) running.reader.stop();
  running.start();
  while (!stopping_ && !running.failed()) environment_.clock.sleep_for(kControlTick / 2);
  const Status drained = drain(running);
  {
    const std::lock_guard lock(running_mutex_);
    running_ = nullptr;
  }
  return drained;
}

Status Capture::drain(Running& running) {
  const MonoTime deadline = environment_.clock.mono_now() + Duration(drain_timeout_us_.load());
  running.reader.stop();
  if (base_maker_ != nullptr) base_maker_->cancel();  // whatever ends the run: a base takes minutes
  while (!running.failed() && !running.uploader_done && environment_.clock.mono_now() < deadline)
    environment_.clock.sleep_for(milliseconds(5));
  running.abort = true;
  running.events.wake();
  running.pipeline.queue().wake();
  running.pipeline.packer().wake();
  for (std::thread& thread : running.threads) thread.join();
  UploadQueue& queue = running.pipeline.queue();
  // What is in memory only must not die with the process, whatever ended it.
  Status spilled = queue.spill();
  if (!spilled) spilled = not_kept(spilled.error(), queue.memory_entries());
  state_.set_outbox(queue.outbox_bytes(), queue.outbox_entries(), outbox_->limit_bytes());
  if (!spilled) state_.failed(spilled.error());
  if (auto failure = running.failed()) return *failure;
  RETURN_IF_ERROR(spilled);
  if (!queue.empty())
    return Error(ErrorKind::kUnavailable,
                 fmt::format("stopped before everything was protected: {} entries ({}) wait in the outbox {}",
                             queue.outbox_entries(), format_size(queue.outbox_bytes()), outbox_->folder()),
                 "start capture again with the same outbox: it publishes them first");
  if (const Status written = running.pipeline.checkpoints().write_now(); !written) state_.failed(written.error());
  return queue.save_chain();
}

}  // namespace anclora::protect

#include "protect/testing/running_capture.h"

#include <stdexcept>
#include <utility>

#include "storage/repository/log_reader.h"

namespace anclora::protect {
namespace {

template <class T>
T value_or_throw(Result<T> result, const char* what) {
  if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().to_string());
  return std::move(*result);
}

}  // namespace

TestArchive::TestArchive(bool encrypted) {
  store_ = std::make_unique<storage::FolderStore>(posix_file_system(), system_random(), path());
  storage::InitOptions init;
  init.encrypted = encrypted;
  storage::Unlock unlock;
  if (encrypted) init.passphrase = unlock.passphrase = Secret("test passphrase");
  value_or_throw(storage::Repository::init(*store_, init, system_clock(), system_random()), "init");
  repository_ = value_or_throw(storage::Repository::open(*store_, unlock), "open");
}

storage::SourceState TestArchive::state(const std::string& source) {
  return value_or_throw(storage::load_source_state(*store_, *repository_, source), "state");
}

TestArchive::Contents TestArchive::read(const std::string& source) {
  const storage::SourceState state = this->state(source);
  Contents contents;
  for (const auto& timeline : state.timelines)
    if (!timeline.bases.empty()) contents.base = timeline.bases.back();
  if (contents.base.name.empty()) throw std::runtime_error("there is no base");
  auto base = value_or_throw(storage::BaseReader::open(*store_, *repository_, source, contents.base), "base");
  while (value_or_throw(base.read(contents.rdb), "base") > 0) {
  }
  const storage::Position from{contents.base.timeline, contents.base.offset};
  auto log = value_or_throw(storage::LogReader::open(*store_, *repository_, state, from, std::nullopt), "log");
  while (auto entry = value_or_throw(log.next(), "log")) {
    if (entry->timeline != from.timeline || entry->last <= contents.end()) continue;
    contents.stream += entry->bytes.substr(static_cast<std::size_t>(contents.end() - entry->first));
  }
  return contents;
}

RunningCapture::RunningCapture(TestArchive& archive, CaptureOptions options, storage::AppendStore* store,
                               std::string outbox, FileSystem& files, BaseMaker* base_maker) {
  const CaptureEnvironment environment{store != nullptr ? *store : archive.store(), archive.repository(), files,
                                       system_clock(), system_random()};
  capture_ = value_or_throw(Capture::open(environment, system_dialer(), base_maker, std::move(options),
                                          outbox.empty() ? archive.outbox() : outbox),
                            "capture");
  thread_ = std::thread([this] {
    result_ = capture_->run();
    ended_ = true;
  });
}

RunningCapture::~RunningCapture() {
  if (thread_.joinable()) ignore_result(stop(Duration::zero()));  // the test has failed already
}

Status RunningCapture::stop(Duration drain_timeout) {
  capture_->stop(drain_timeout);
  thread_.join();
  capture_.reset();  // lets go of the outbox
  return result_;
}

Status RunningCapture::wait_for_end(Duration patience) {
  const MonoTime deadline = system_clock().mono_now() + patience;
  while (!ended_ && system_clock().mono_now() < deadline) system_clock().sleep_for(std::chrono::milliseconds(5));
  if (!ended_) throw std::runtime_error("capture did not end by itself");
  thread_.join();
  capture_.reset();
  return result_;
}

void RunningCapture::wait_for(const std::function<bool(const CaptureStatus&)>& reached, const std::string& what,
                              Duration patience) {
  const MonoTime deadline = system_clock().mono_now() + patience;
  while (!reached(status())) {
    const CaptureStatus now = status();
    if (ended_) throw std::runtime_error("capture ended: " + (result_ ? "ok" : result_.error().to_string()));
    if (system_clock().mono_now() > deadline)
      throw std::runtime_error("waited in vain for " + what + "; link " + std::string(to_string(now.link)) + " (" +
                               now.link_detail + "), received " + std::to_string(now.received.value) +
                               ", last error: " + now.last_error);
    system_clock().sleep_for(std::chrono::milliseconds(2));
  }
}

void RunningCapture::wait_protected(redis::Offset offset, Duration patience) {
  wait_for(
      [&](const CaptureStatus& status) {
        return status.base_complete && status.protected_up_to && status.protected_up_to->offset >= offset;
      },
      "protection up to " + std::to_string(offset.value), patience);
}

CaptureOptions options_for(const redis::RedisServer& source) {
  CaptureOptions options;
  options.source = source.url();
  return options;
}

redis::Offset offset_of(redis::RedisServer& server) { return *server.info("replication").offset(); }

}  // namespace anclora::protect

#include "app/daemon/plan_file_watch.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "plan/read_plan.h"

namespace anclora::app {
namespace {

constexpr std::chrono::seconds kEvery(2);
constexpr std::uint64_t kMaxPlanBytes = 4 * kMiB;

std::string look(FileSystem& files, const std::string& path, const Bytes& as_read) {
  const auto file = files.resolve(path);  // anew: a link may name another file by now
  const auto bytes = file ? files.read_all(*file, kMaxPlanBytes) : file.error();
  if (!bytes) return path + " cannot be read any more; the plan as it was at the start counts";
  if (*bytes == as_read) return {};
  const bool is_whole = plan::read_plan(path, *bytes).has_value();
  return fmt::format("{} was changed since the start; the plan as it was then counts until serve is started again{}",
                     path, is_whole ? "" : ", which it will not be: anclora plan check");
}

}  // namespace

struct PlanFileWatch::Shared {
  FileSystem& files;
  const std::string path;
  const Bytes as_read;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  std::string note;
};

PlanFileWatch::PlanFileWatch(FileSystem& files, std::string path, Bytes as_read)
    : shared_(new Shared{files, std::move(path), std::move(as_read), {}, {}, false, {}}) {
  std::thread([shared = shared_] {
    std::unique_lock lock(shared->mutex);
    while (!shared->changed.wait_for(lock, kEvery, [&] { return shared->stopping; })) {
      lock.unlock();
      std::string note = look(shared->files, shared->path, shared->as_read);
      lock.lock();
      shared->note = std::move(note);
    }
  }).detach();
}

PlanFileWatch::~PlanFileWatch() {
  const std::lock_guard lock(shared_->mutex);
  shared_->stopping = true;
  shared_->changed.notify_all();
}

std::string PlanFileWatch::note() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->note;
}

}  // namespace anclora::app

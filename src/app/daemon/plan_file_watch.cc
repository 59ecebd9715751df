#include "app/daemon/plan_file_watch.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "app/cli/drill_site.h"
#include "plan/read_plan.h"

namespace anclora::app {
namespace {

constexpr std::chrono::seconds kEvery(2);

}  // namespace

struct PlanFileWatch::Shared {
  FileSystem& files;
  const std::string path;
  const Bytes as_read;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  std::string note;

  // Of the looking thread alone: a change that was judged is not judged again at every look.
  Bytes changed_to;
  std::string of_change;

  std::string look();
};

std::string PlanFileWatch::Shared::look() {
  const auto file = files.resolve(path);  // anew: a link may name another file by now
  auto bytes = file ? files.read_all(*file, kMaxPlanFileBytes) : file.error();
  if (!bytes) return path + " cannot be read any more; the plan as it was at the start counts";
  if (*bytes == as_read) return {};
  if (of_change.empty() || *bytes != changed_to) {
    const bool is_whole = plan::read_plan(path, *bytes).has_value();
    of_change =
        fmt::format("{} was changed since the start; the plan as it was then counts until serve is started again{}",
                    path, is_whole ? "" : ", which it will not be: anclora plan check");
    changed_to = std::move(*bytes);
  }
  return of_change;
}

PlanFileWatch::PlanFileWatch(FileSystem& files, std::string path, Bytes as_read)
    : shared_(new Shared{files, std::move(path), std::move(as_read), {}, {}, false, {}, {}, {}}) {
  std::thread([shared = shared_] {
    std::unique_lock lock(shared->mutex);
    while (!shared->changed.wait_for(lock, kEvery, [&] { return shared->stopping; })) {
      lock.unlock();
      std::string note = shared->look();
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

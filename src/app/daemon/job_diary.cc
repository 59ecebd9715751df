#include "app/daemon/job_diary.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/write_file.h"

namespace anclora::app {
namespace {

constexpr std::uint64_t kLongestLine = 256;
constexpr Duration kLongestRetry = std::chrono::hours(1);

std::string file_of(const std::string& job) {
  std::string name = job;
  std::ranges::replace_if(name, [](char c) { return c == '/' || c == ' ' || c == '.'; }, '_');
  return name;
}

}  // namespace

const JobDiary::Line* JobDiary::find(const std::string& job) {
  const auto known = known_.find(job);
  if (known != known_.end()) return known->second ? &*known->second : nullptr;
  std::optional<Line> line;
  // What cannot be read counts as never: the job runs once too often.
  if (const auto text = files_.read_all(folder_ + "/" + file_of(job), kLongestLine)) {
    const std::size_t space = text->find(' ');
    const auto time = parse_rfc3339(std::string_view(*text).substr(0, space));
    Line read;
    if (time && space != std::string::npos) {
      read.time = *time;
      std::from_chars(text->data() + space + 1, text->data() + text->size(), read.exit_status);
      line = read;
    }
  }
  const auto added = known_.emplace(job, line).first;
  return added->second ? &*added->second : nullptr;
}

bool JobDiary::is_due(const std::string& job, Duration every, WallTime now) {
  const Line* line = find(job);
  if (line == nullptr) return true;
  return now - line->time >= (line->exit_status == 0 ? every : std::min<Duration>(every / 4, kLongestRetry));
}

std::optional<WallTime> JobDiary::last(const std::string& job) {
  const Line* line = find(job);
  return line == nullptr ? std::nullopt : std::optional(line->time);
}

Status JobDiary::ran(const std::string& job, int exit_status, WallTime now) {
  known_[job] = Line{now, exit_status};
  RETURN_IF_ERROR(files_.create_directories(folder_));
  const std::string path = folder_ + "/" + file_of(job);
  return replace_file(files_, path, fmt::format("{} {}\n", format_rfc3339(now), exit_status));
}

}  // namespace anclora::app

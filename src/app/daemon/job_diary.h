// When each repeated job last ran, over restarts: `<state>/serve/jobs/<name>` holds a time and an exit status.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"

namespace anclora::app {

// Thread rule: one thread.
class JobDiary {
 public:
  JobDiary(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}
  // Due when it never ran, or `every` ago; after a failure after a quarter of that, at most an hour.
  bool is_due(const std::string& job, Duration every, WallTime now);
  Status ran(const std::string& job, int exit_status, WallTime now);
  std::optional<WallTime> last(const std::string& job);

 private:
  struct Line {
    WallTime time;
    int exit_status = 0;
  };
  const Line* find(const std::string& job);
  FileSystem& files_;
  const std::string folder_;
  std::map<std::string, std::optional<Line>> known_;
};

}  // namespace anclora::app

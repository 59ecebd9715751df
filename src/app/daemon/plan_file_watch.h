// Notices that the plan file is no longer what was read. In a thread of its own, which nobody waits for: the file may
// lie where a look hangs, on a share whose server is the disaster.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/file_system.h"

namespace anclora::app {

class PlanFileWatch {
 public:
  // `files` outlives the process's threads.
  PlanFileWatch(FileSystem& files, std::string path, Bytes as_read);
  ~PlanFileWatch();
  PlanFileWatch(const PlanFileWatch&) = delete;
  PlanFileWatch& operator=(const PlanFileWatch&) = delete;

  // What is to be said about the file, as of its last look; empty: it is what was read. Any thread.
  std::string note() const;

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace anclora::app

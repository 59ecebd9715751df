// The copy of a run in the repository: its plan and its journal, line by line, as the run goes. From it a survivor on
// another machine takes the run over, and an auditor proves the chain.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace anclora::respond {

// Best effort: while the repository is away the lines wait in memory. A thread of its own; add() from any thread.
class RunCopy {
 public:
  RunCopy(storage::AppendStore& store, const storage::Repository& repository, std::string run, std::uint64_t generation,
          Bytes plan, Random& random);
  // Gives up what is not written within 5 s.
  ~RunCopy();
  void add(std::uint64_t number, const std::string& line);
  // True once everything added is written; waits at most `timeout`.
  bool flush(Duration timeout);

 private:
  void work();
  bool write_batch(std::uint64_t first, const std::string& lines);

  storage::AppendStore& store_;
  const storage::Repository& repository_;
  const std::string run_;
  const std::uint64_t generation_;
  const Bytes plan_;
  Random& random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::uint64_t, std::string>> waiting_;
  bool plan_written_ = false;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

struct CopiedRun {
  Bytes plan;
  std::vector<std::string> lines;  // a whole chain from the first on; what does not follow is left out
};

// The runs that the repository has copies of, the newest first.
Result<std::vector<std::string>> list_copied_runs(storage::ReadStore& store);
// kNotFound when the repository has no such run; the hint names those it has.
Result<CopiedRun> fetch_run(storage::ReadStore& store, const storage::Repository& repository, const std::string& run);
// Writes it as a run folder, durable. kAlreadyExists when there is one.
Status plant_run(FileSystem& files, const std::string& folder, const CopiedRun& copy);

}  // namespace anclora::respond

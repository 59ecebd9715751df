// A run's journal on disk: a chain with one segment for each runner that had the run. docs/formats/run-journal.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "respond/runbook/journal_chain.h"
#include "respond/runbook/run_record.h"

namespace anclora::respond {

struct JournalContent : ChainEnd {
  std::vector<RunRecord> records;
  std::vector<std::string> lines;  // as written, one for each record
};

// Reads and proves the chain. kNotFound when the folder holds no journal; kDataLoss naming file and line for anything
// but a torn end of a segment, and for the journal of a run that is not the folder's name.
Result<JournalContent> read_journal(FileSystem& files, const std::string& folder);

// The writer. One thread at a time. After an error it must be abandoned.
class RunJournal {
 public:
  // Opens the next segment after `content`, which read_journal() gave (or an empty one for a new run).
  static Result<std::unique_ptr<RunJournal>> open(FileSystem& files, const std::string& folder,
                                                  const JournalContent& content);
  // Numbers and times the record, appends it, and syncs it. The record as it was written.
  Result<RunRecord> append(RunRecord record, WallTime now, bool sync = true);
  // The same for a line of another place's copy, byte for byte, before anything else was appended.
  Status adopt(const std::string& line, const DecodedRecord& decoded);
  Status sync() { return writer_->sync(); }  // after adopt()

  const Hash256& tip() const { return writer_->tip(); }
  const std::string& last_line() const { return writer_->last_line(); }

 private:
  explicit RunJournal(std::unique_ptr<ChainWriter> writer) : writer_(std::move(writer)) {}

  std::unique_ptr<ChainWriter> writer_;
};

}  // namespace anclora::respond

#include "respond/runbook/run_journal.h"

#include <fmt/format.h>

#include <utility>

namespace anclora::respond {
namespace {

// A whole journal in the place of another is a sound chain: only its own first line says whose it is. A take-over
// leaves what was there before as RUN.before-TIME.
Status refuse_another_runs(const std::string& folder, const JournalContent& content) {
  if (content.records.empty() || content.records.front().kind != RecordKind::kRunStarted) return {};
  const std::string run = content.records.front().field("run");
  const std::string name = folder.substr(folder.find_last_of('/') + 1);
  if (name == run || name.starts_with(run + ".before-")) return {};
  return Error(ErrorKind::kDataLoss,
               fmt::format("{}:1: it is the journal of another run, {}", segment_path(folder, 1), run),
               "keep the folder as evidence, and take the run over from its copy in the repository: anclora run resume "
               "--take-over --run RUN");
}

}  // namespace

Result<JournalContent> read_journal(FileSystem& files, const std::string& folder) {
  JournalContent content;
  RETURN_IF_ERROR(read_chain(files, folder,
                             "the journal was changed or damaged after it was written: keep the folder as evidence, "
                             "compare it with the copy in the repository, and start a new run",
                             content, [&](DecodedLine&& decoded, std::string_view line) -> Status {
                               ASSIGN_OR_RETURN(RunRecord record, to_run_record(std::move(decoded.line), decoded.kind));
                               content.records.push_back(std::move(record));
                               content.lines.emplace_back(line);
                               return {};
                             }));
  if (content.segments == 0)
    return Error(ErrorKind::kNotFound, folder + " holds no run", "see the runs there are: anclora run status");
  RETURN_IF_ERROR(refuse_another_runs(folder, content));
  return content;
}

Result<std::unique_ptr<RunJournal>> RunJournal::open(FileSystem& files, const std::string& folder,
                                                     const JournalContent& content) {
  ASSIGN_OR_RETURN(auto writer, ChainWriter::open(files, folder, content));
  return std::unique_ptr<RunJournal>(new RunJournal(std::move(writer)));
}

Result<RunRecord> RunJournal::append(RunRecord record, WallTime now, bool sync) {
  RETURN_IF_ERROR(writer_->append(record, to_string(record.kind), now, sync));
  return record;
}

Status RunJournal::adopt(const std::string& line, const DecodedRecord& decoded) {
  return writer_->adopt(line, decoded.previous, decoded.hash, decoded.record.number);
}

}  // namespace anclora::respond

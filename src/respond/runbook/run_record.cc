#include "respond/runbook/run_record.h"

#include <array>
#include <utility>

namespace anclora::respond {
namespace {

constexpr std::array<std::pair<RecordKind, std::string_view>, 27> kNames = {{
    {RecordKind::kRunStarted, "run.started"},
    {RecordKind::kRunResumed, "run.resumed"},
    {RecordKind::kRunPaused, "run.paused"},
    {RecordKind::kRunAborted, "run.aborted"},
    {RecordKind::kRunFinished, "run.finished"},
    {RecordKind::kMark, "run.mark"},
    {RecordKind::kApprovalRequested, "approval.requested"},
    {RecordKind::kApprovalGranted, "approval.granted"},
    {RecordKind::kApprovalRefused, "approval.refused"},
    {RecordKind::kApprovalExpired, "approval.expired"},
    {RecordKind::kIntent, "step.intent"},
    {RecordKind::kChange, "step.change"},
    {RecordKind::kKept, "step.kept"},
    {RecordKind::kNote, "step.note"},
    {RecordKind::kOutcome, "step.outcome"},
    {RecordKind::kVerified, "step.verified"},
    {RecordKind::kFailed, "step.failed"},
    {RecordKind::kTimedOut, "step.timed_out"},
    {RecordKind::kUnknown, "step.unknown"},
    {RecordKind::kSkipped, "step.skipped"},
    {RecordKind::kManual, "step.manual"},
    {RecordKind::kRetry, "step.retry"},
    {RecordKind::kUndoRequested, "step.undo_requested"},
    {RecordKind::kUndoIntent, "step.undo_intent"},
    {RecordKind::kUndone, "step.undone"},
    {RecordKind::kUndoFailed, "step.undo_failed"},
    {RecordKind::kRequestRefused, "request.refused"},
}};

}  // namespace

std::string_view to_string(RecordKind kind) {
  for (const auto& [known, text] : kNames)
    if (known == kind) return text;
  return "?";
}

Result<RunRecord> to_run_record(ChainedLine line, std::string_view kind) {
  for (const auto& [known, text] : kNames)
    if (text == kind) return RunRecord{std::move(line), known};
  return unknown_kind(kind);
}

std::string encode_record(const RunRecord& record, const Hash256& previous, Hash256& hash) {
  return encode_line(record, to_string(record.kind), previous, hash);
}

Result<DecodedRecord> decode_record(std::string_view line) {
  ASSIGN_OR_RETURN(DecodedLine decoded, decode_line(line));
  ASSIGN_OR_RETURN(RunRecord record, to_run_record(std::move(decoded.line), decoded.kind));
  return DecodedRecord{std::move(record), decoded.previous, decoded.hash};
}

}  // namespace anclora::respond

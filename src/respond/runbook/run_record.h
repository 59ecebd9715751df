// One line of a run's journal: what happened, to which step, by whom. docs/formats/run-journal.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "respond/runbook/chained_line.h"

namespace anclora::respond {

enum class RecordKind : std::uint8_t {
  kRunStarted,         // fields: run, scenario, environment, plan_hash, generation, runner, starter, ...
  kRunResumed,         // a runner took the run up again; fields: generation, runner, taken_over
  kRunPaused,          // a person is needed; text says why
  kRunAborted,         // by `actor`, or by an approval's policy
  kRunFinished,        // every step is settled
  kMark,               // fields: name (t_out, t_det, t_decl, t_act, t_serv), time
  kApprovalRequested,  // step empty: the declaration of the scenario
  kApprovalGranted,
  kApprovalRefused,
  kApprovalExpired,  // fields: policy
  kIntent,           // an attempt begins; fields: mode, token and the inputs as `with.<name>`
  kChange,           // before_change: the outside is about to change
  kKept,             // fields: name, value
  kNote,
  kOutcome,  // execute (or a probe) says it is done; fields: the outputs
  kVerified,
  kFailed,    // fields: retry ("yes": the engine may try again by itself)
  kTimedOut,  // the attempt was given up; what it did is to be probed
  kUnknown,
  kSkipped,
  kManual,
  kRetry,  // a person asks for another attempt
  kUndoRequested,
  kUndoIntent,
  kUndone,
  kUndoFailed,
  kRequestRefused,  // a person's request that was not allowed; text says why
};

// "step.intent", "run.started", ...: as in the journal.
std::string_view to_string(RecordKind kind);

struct RunRecord : ChainedLine {
  RecordKind kind = RecordKind::kNote;

  RunRecord() = default;
  RunRecord(ChainedLine line, RecordKind of) : ChainedLine(std::move(line)), kind(of) {}
};
// kUnsupported for a kind that this version does not know.
Result<RunRecord> to_run_record(ChainedLine line, std::string_view kind);

// A line without its newline. `previous` is the hash of the line before (zeros for the first); `hash` gets this line's.
std::string encode_record(const RunRecord& record, const Hash256& previous, Hash256& hash);

struct DecodedRecord {
  RunRecord record;
  Hash256 previous{};
  Hash256 hash{};
};
// kDataLoss when it is no record or its hash does not fit its bytes; kUnsupported for a newer version.
Result<DecodedRecord> decode_record(std::string_view line);

}  // namespace anclora::respond

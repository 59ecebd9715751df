// What a person asks of a run: approve, skip, done, ... A request is a file in the run folder's inbox, so that it
// reaches a runner in another process; the runner judges it, journals the answer and removes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "respond/runbook/run_plan.h"
#include "respond/runbook/run_record.h"
#include "respond/runbook/run_state.h"

namespace anclora::respond {

enum class RequestKind : std::uint8_t { kApprove, kRefuse, kSkip, kDone, kRetry, kUndo, kAbort };
std::string_view to_string(RequestKind kind);

struct RunRequest {
  std::string id;  // given by submit_request()
  RequestKind kind = RequestKind::kApprove;
  std::string step;  // empty: the declaration (approve, refuse), the whole run (undo, abort)
  std::string contact;
  std::string text;  // reason or evidence
};

// What the journal gets for this request, in this order; only the last record carries the request's id. An error is
// the answer to the person: an unknown contact, a missing role, one's own request, a state that does not allow it.
Result<std::vector<RunRecord>> judge_request(const plan::Plan& plan, const RunPlan& run, const RunState& state,
                                             const RunRequest& request, WallTime now);

// Durable in `folder`'s inbox; the id.
Result<std::string> submit_request(FileSystem& files, const std::string& folder, RunRequest request, Clock& clock,
                                   Random& random);
struct Inbox {
  std::vector<RunRequest> requests;  // in the order of their submission
  std::vector<std::string> foreign;  // file names that hold no request
};
Result<Inbox> read_inbox(FileSystem& files, const std::string& folder);
Status remove_request(FileSystem& files, const std::string& folder, const std::string& id);
std::string inbox_folder(const std::string& run_folder);

}  // namespace anclora::respond

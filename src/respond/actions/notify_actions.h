// people.notify and people.page: people are told by their channels, and a page may wait for an answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "respond/notify/notifier.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// Who has acknowledged the incident of this run, or nothing yet. An error counts as nothing: a page goes on.
using AcknowledgedBy = std::function<std::optional<std::string>(const std::string& run_id)>;

// Tells the contacts (ids or roles) by all their channels at once. Done when each of them was reached by one at least;
// a telephone is named for a person to dial and counts for nothing. Kept: "told.<contact>.<channel number>" = state, so
// that another attempt, or a resumed run, leaves out who was told. Outputs: "sent", "failed", "limited" (counts).
std::unique_ptr<Action> make_people_notify(const ChannelMeans& means);

// The same for a page. With `acknowledge_within` the names are called in their order, the next one when the time of the
// one before is over, until somebody acknowledges the incident or settles the step (anclora run done). When nobody
// does, kDeadlineExceeded, or with `unanswered: proceed` an outcome that says so. Outputs also "acknowledged_by".
std::unique_ptr<Action> make_people_page(const ChannelMeans& means, AcknowledgedBy acknowledged);

}  // namespace anclora::respond

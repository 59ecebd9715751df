// Brings what an outbox holds into a log that went on under other names: decoded, trimmed by what is published, sealed
// anew behind a claim.
#pragma once

#include "protect/capture/takeover.h"

namespace anclora::protect {

struct DecodedEntry {
  storage::LogEntry entry;
  Hash256 hash{};  // of its content
};
// kDataLoss or kUnauthenticated when the file does not open under its name.
Result<DecodedEntry> read_outbox_entry(const storage::Repository& repository, const std::string& source,
                                       const Outbox& outbox, const Outbox::Pending& pending);

// Publishes what the log lacks and empties the outbox; what belongs to another history is put aside ("abandoned/").
// May be called again after a crash at any point.
Status reseal_outbox(const TakeoverContext& context, const storage::SourceState& state);

}  // namespace anclora::protect

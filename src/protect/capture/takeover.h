// How a writer begins: reads where the log stands, brings in what its outbox holds, and says where to go on.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "protect/capture/chain_start.h"
#include "protect/capture/outbox.h"
#include "storage/repository/source_state.h"
#include "storage/store/store.h"

namespace anclora::protect {

struct TakeoverContext {
  storage::AppendStore& store;
  const storage::Repository& repository;
  std::string source;
  std::string url;  // without secrets
  bool allow_url_change = false;
  Outbox& outbox;
  Clock& clock;
  Random& random;
  storage::Incarnation incarnation;
};

struct Takeover {
  ChainStart start;                           // behind what waits in the outbox
  storage::TimelineId published_timeline;     // of the newest published entry
  bool published_base_complete = false;       // of that timeline
  storage::CheckpointDelta first_delta;       // what the checkpoints may lack
  std::optional<storage::SourceState> state;  // as loaded; nothing: the source is new, or the store is away
  std::optional<Error> put_aside;             // what was damaged in the outbox
  std::optional<Error> store_away;            // goes on from the outbox, without the store
};

// kFenced: another holder is alive; kFailedPrecondition: the name belongs to another URL; kUnavailable: the store is
// away and the outbox does not know where to go on. What the outbox holds beyond the log stays in it, to be published
// byte for byte; where its names were taken it is sealed and published anew here (a claim before it).
Result<Takeover> take_over(const TakeoverContext& context);

// "host:port" of two URLs are equal, whatever user, scheme and database they name.
bool same_server(const std::string& url, const std::string& other);

}  // namespace anclora::protect

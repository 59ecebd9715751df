// The checkpoint chain of a source: what counts, as a list of deltas. For the .cc files of this folder; others use
// source_state.h. Format: docs/formats/repository.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/repository/source_state.h"

namespace anclora::storage {

// One checkpoint as it is stored.
struct Checkpoint {
  std::uint64_t ordinal = 0;
  bool full = false;
  Hash256 previous{};  // of the content of the checkpoint before it; zero for the first
  WallTime written;
  std::string writer;  // random: by it a writer knows its own after a lost reply
  CheckpointDelta delta;
  std::vector<RetiredObject> retired;  // full only: those retired before
  std::optional<WallTime> rebuilt;     // full only: SourceState::rebuilt
};
Bytes encode_checkpoint(const Checkpoint& checkpoint);
// kDataLoss naming the field; kUnsupported for a newer format.
Result<Checkpoint> decode_checkpoint(ByteView content, std::string_view object_name);

// The chain up to its newest checkpoint.
struct CheckpointChain {
  SourceState state;  // without head and without what only the log tells
  std::vector<RetiredObject> retired;
  Hash256 newest{};  // hash of the newest checkpoint's content; of the newest that opens
};
// Checkpoints that are damaged or gone are passed over: reading starts at the newest full one that opens, and what the
// lost ones named is found again among the objects that stand (rebuild_state()). state.damaged_checkpoints then names
// them. No checkpoint: ordinal 0. An error only when the store fails, or a checkpoint is of a newer format.
Result<CheckpointChain> load_checkpoint_chain(ReadStore& store, const Repository& repository, std::string_view source);
// Adds to the chain what stands in the store and is not known: timelines, whole bases, packs that open and continue the
// log; takes out bases and front packs of which nothing stands. Lists all of the source. What does not open is added to
// state.damaged_checkpoints only as far as it would have counted.
Status rebuild_state(ReadStore& store, const Repository& repository, CheckpointChain& chain);
// True when a checkpoint follows the chain's newest.
Result<bool> has_next_checkpoint(ReadStore& store, const CheckpointChain& chain);

// Applies one checkpoint to the chain. Deterministic, and doing it twice changes nothing: the first of two packs that
// overlap counts, a base counts once.
void apply_checkpoint(CheckpointChain& chain, const Checkpoint& checkpoint);
// The single changes of which a checkpoint consists, for rebuild_state(); what does not fit changes nothing.
void add_base(SourceState& state, const BaseInfo& base);
void add_pack(SourceState& state, const PackInfo& pack);
void add_timeline(SourceState& state, const TimelineState& opened);
// The chain as one delta that starts from nothing.
CheckpointDelta whole_state(const SourceState& state);

}  // namespace anclora::storage

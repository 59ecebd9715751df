#include <fmt/format.h>

#include <algorithm>

#include "base/whole_number.h"
#include "storage/repository/checkpoint.h"
#include "storage/repository/sealed_object.h"
#include "storage/repository/source_object.h"

namespace anclora::storage {
namespace {

// What no other try will read. A newer format is none of it: its writer knows more than this program.
bool is_damage(const Error& error) {
  return error.kind() == ErrorKind::kDataLoss || error.kind() == ErrorKind::kResourceExhausted;
}

class ChainLoader {
 public:
  ChainLoader(ReadStore& store, const Repository& repository, std::string_view source)
      : store_(store), repository_(repository) {
    chain_.state.source = source;
  }

  Result<CheckpointChain> load() {
    ASSIGN_OR_RETURN(folders_, list_numbers(layout::checkpoint_prefix(source()), true));
    if (folders_.empty()) return std::move(chain_);
    ASSIGN_OR_RETURN(const std::vector<std::uint64_t> newest, list_numbers(folder_of(folders_.back()), false));
    const std::uint64_t last = newest.empty() ? folders_.back() : newest.back();
    RETURN_IF_ERROR(start());
    RETURN_IF_ERROR(follow(last));
    chain_.state.checkpoint_ordinal = ordinal_;
    if (chain_.state.damaged_checkpoints.empty()) {
      ASSIGN_OR_RETURN(const bool lost, newest_are_lost());
      if (lost) note(layout::checkpoint(source(), ordinal_ + 1), "the newest checkpoints are missing, this one and on");
    }
    if (!chain_.state.damaged_checkpoints.empty()) RETURN_IF_ERROR(rebuild_state(store_, repository_, chain_));
    return std::move(chain_);
  }

 private:
  enum class Found : std::uint8_t { kRead, kDamaged, kMissing };

  const std::string& source() const { return chain_.state.source; }
  std::string folder_of(std::uint64_t ordinal) const {
    const std::string name = layout::checkpoint(source(), ordinal);
    return name.substr(0, name.rfind('/') + 1);
  }

  // The ordinals of the checkpoints (or of the folders of full ones) right under `prefix`, ascending.
  Result<std::vector<std::uint64_t>> list_numbers(const std::string& prefix, bool folders) const {
    ASSIGN_OR_RETURN(const Listing listing, store_.list(prefix, true));
    std::vector<std::uint64_t> ordinals;
    const auto take = [&](std::string_view digits) {
      const auto ordinal = whole_number<std::uint64_t>(digits);
      if (!ordinal || *ordinal == 0) return;
      const std::string folder = folder_of(*ordinal);
      if (folders ? folder == prefix + std::string(digits) + "/" && layout::full_checkpoint_before(*ordinal) == *ordinal
                  : layout::checkpoint(source(), *ordinal) == prefix + std::string(digits))
        ordinals.push_back(*ordinal);
    };
    if (folders) {
      for (const std::string& name : listing.prefixes)
        take(std::string_view(name).substr(prefix.size(), name.size() - prefix.size() - 1));
    } else {
      for (const ObjectInfo& object : listing.objects) take(std::string_view(object.name).substr(prefix.size()));
    }
    std::ranges::sort(ordinals);
    return ordinals;
  }

  // Names it, and what the newest one that was read says no longer leads on to the next.
  void note(std::string object, std::string problem) {
    chain_.state.damaged_checkpoints.push_back({std::move(object), std::move(problem)});
    follows_ = false;
  }

  // At the newest full one that opens; where none does, before the oldest that stands.
  Status start() {
    for (std::size_t i = folders_.size(); i-- > 0;) {
      ASSIGN_OR_RETURN(const Found found, read(folders_[i], true));
      if (found == Found::kRead) {
        ordinal_ = folders_[i];
        return {};
      }
    }
    chain_.state.damaged_checkpoints.clear();  // they are met again on the way
    ordinal_ = folders_.front() - 1;
    return {};
  }

  // Up to the end of the chain, which is not before `last`.
  Status follow(std::uint64_t last) {
    while (true) {
      const std::uint64_t next = ordinal_ + 1;
      ASSIGN_OR_RETURN(const Found found, read(next, false));
      if (found == Found::kMissing && next > last) return {};
      ordinal_ = next;
      if (found == Found::kMissing) {
        note(layout::checkpoint(source(), next), "the checkpoint is missing, and later ones stand");
        skip_missing_folder();
      }
    }
  }

  void skip_missing_folder() {
    const std::uint64_t folder = layout::full_checkpoint_before(ordinal_);
    if (ordinal_ != folder || std::ranges::binary_search(folders_, folder)) return;
    const auto next = std::ranges::upper_bound(folders_, folder);
    if (next != folders_.end()) ordinal_ = *next - 1;
  }

  Result<Found> read(std::uint64_t ordinal, bool must_be_full) {
    const std::string name = layout::checkpoint(source(), ordinal);
    Result<Bytes> content = read_sealed(store_, repository_, name, kMaxCheckpointBytes);
    if (!content && content.error().kind() == ErrorKind::kNotFound) return Found::kMissing;
    if (!content && !is_damage(content.error())) return content.error();
    Result<Checkpoint> checkpoint = content ? decode_checkpoint(*content, name) : Result<Checkpoint>(content.error());
    if (!checkpoint && !is_damage(checkpoint.error())) return checkpoint.error();
    if (checkpoint && (checkpoint->ordinal != ordinal || (must_be_full && !checkpoint->full)))
      checkpoint = Error(ErrorKind::kDataLoss, name + " is not the checkpoint that its name says");
    if (!checkpoint) {
      note(name, checkpoint.error().message());
      return Found::kDamaged;
    }
    // A full one starts from nothing: what came before it, damaged or not, is of no more use.
    if (!checkpoint->full && follows_ && checkpoint->previous != chain_.newest)
      note(name, name + " does not follow the checkpoint before it");
    apply_checkpoint(chain_, *checkpoint);
    chain_.newest = hash256(*content);
    follows_ = true;
    return Found::kRead;
  }

  // The newest entry keeps its own name for ever, and expire deletes no other that no pack covers. Where neither the
  // last entry that the chain knows nor the one behind it stands, while packs do that begin behind them, checkpoints
  // were written that are gone.
  Result<bool> newest_are_lost() const {
    if (chain_.state.timelines.empty() || chain_.state.timelines.back().packs.empty()) return false;
    const TimelineState& timeline = chain_.state.timelines.back();
    const std::uint64_t last = timeline.packs.back().last_sequence;
    for (const std::uint64_t sequence : {last, last + 1}) {
      ASSIGN_OR_RETURN(const bool stands, object_exists(store_, layout::log_entry(source(), timeline.id, sequence)));
      if (stands) return false;
    }
    const std::string prefix = layout::timeline_prefix(source(), timeline.id) + "pack/";
    ASSIGN_OR_RETURN(const Listing listing, store_.list(prefix, true));
    return !listing.objects.empty() && listing.objects.back().name > layout::pack(source(), timeline.id, last + 1, 0);
  }

  ReadStore& store_;
  const Repository& repository_;
  CheckpointChain chain_;
  std::vector<std::uint64_t> folders_;  // ascending
  std::uint64_t ordinal_ = 0;           // the newest that was met
  bool follows_ = false;                // the one before was read
};

}  // namespace

Result<CheckpointChain> load_checkpoint_chain(ReadStore& store, const Repository& repository, std::string_view source) {
  ChainLoader loader(store, repository, source);
  return loader.load();
}

}  // namespace anclora::storage

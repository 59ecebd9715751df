// Builds a StreamIndex from the commands and entries of a stretch of stream. Runs for every command in capture.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "storage/journal/command_view.h"
#include "storage/journal/key_filter.h"
#include "storage/journal/log_entry.h"
#include "storage/journal/mass_deletion.h"
#include "storage/journal/stream_index.h"

namespace anclora::storage {

// What one entry's commands add to the index of a pack: made where they are parsed anyway, merged where packs are made.
struct StreamIndexFragment {
  StreamIndex index;  // commands, dangers, flags
  std::vector<std::uint64_t> key_hashes;
  std::size_t memory_bytes() const { return key_hashes.size() * sizeof(std::uint64_t); }
};

// One thread; memory is bounded (the filter's 4 MiB, and the limits of StreamIndex). Feed a source's whole stream to
// one builder and take() an index for each pack: a mass deletion that crosses packs is then seen.
class StreamIndexBuilder {
 public:
  StreamIndexBuilder();
  void on_command(const CommandView& command);
  // An entry of the pack, in order: its line in the index and its time marks.
  void on_entry(const LogEntry& entry, const Hash256& content_hash);
  // The stream could not be read as commands for a while: the index says nothing about keys.
  void on_unreadable() { index_.all_keys_known = false; }
  // What was collected since the last take(). A mass deletion that goes on is in several indexes, each time with the
  // same `before` and larger numbers: the last one is right.
  StreamIndex take();

  // What was collected since the last take: for one entry after the other, instead of take().
  StreamIndexFragment take_fragment();
  // An entry's commands, read elsewhere by another builder; on_entry() comes beside it. From one entry to the next a
  // mass deletion that goes on is given again, as take() does.
  void add_fragment(const StreamIndexFragment& fragment);
  // For whom only take_fragment() is called.
  void collect_fragments() { fragments_ = true; }

 private:
  void count(std::string_view name, std::uint64_t times);
  void collect();
  void on_unknown(std::string_view name);
  void on_flush(DangerKind kind, const CommandView& command);
  void on_swap(const CommandView& command);
  void add_danger(Danger danger);
  void add_marks(const std::vector<TimeMark>& marks);

  StreamIndex index_;
  std::vector<std::uint64_t> counts_;  // by the command's place in the table
  std::string newest_name_;            // mostly the next command's too
  std::size_t newest_place_ = 0;       // of that name
  KeyFilterBuilder filter_;
  KeyHashes hashes_;  // instead of filter_, for fragments
  bool fragments_ = false;
  MassDeletionDetector deletions_;
  WallTime newest_mark_;
};

}  // namespace anclora::storage

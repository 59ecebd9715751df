// Hands the commands of a stream to an index, each with its keys and the time at which it was received.
#pragma once

#include "storage/journal/command_reader.h"
#include "storage/journal/stream_index_builder.h"

namespace anclora::protect {

// One thread. The index outlives it.
class CommandIndexer final : public storage::CommandReader {
 public:
  explicit CommandIndexer(storage::StreamIndexBuilder& index) : CommandReader(Arguments::kKeys), index_(index) {}
  // Of the commands that end from now on, instead of an entry's marks.
  void set_time(WallTime time) {
    now_.wall = time;
    enter({&now_, 1});
  }

 private:
  void on_view(storage::CommandView& command) override { index_.on_command(command); }

  storage::StreamIndexBuilder& index_;
  storage::TimeMark now_;
};

}  // namespace anclora::protect

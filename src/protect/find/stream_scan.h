// Reads the commands of a stretch of stream one by one, with all their arguments.
#pragma once

#include <functional>
#include <vector>

#include "protect/restore/source_view.h"
#include "storage/journal/command_view.h"

namespace anclora::protect {

// One command with every argument; of a command longer than a log entry, the first ones and its keys
// (command.argument_count tells how many there were).
using OnCommand = std::function<Status(const storage::CommandView& command)>;

// The commands that end after `from` and not after `to`, of one timeline, in order. The views live during the call.
// Adds what was read to `bytes_read`.
Status scan_commands(const SourceView& source, storage::Position from, redis::Offset to, std::uint64_t& bytes_read,
                     const OnCommand& on_command);

}  // namespace anclora::protect

// Where a writer goes on: the end of the chain, and the state of the stream there.
#pragma once

#include <optional>

#include "redis/resp/command_parser.h"
#include "storage/repository/log_writer.h"

namespace anclora::protect {

struct ChainStart {
  storage::ChainTip tip;                       // timeline 0: nothing was ever written
  std::optional<redis::CommandParser> parser;  // at tip.last; nothing: no timeline is open
  bool base_complete = false;                  // the open timeline can be restored
  storage::Origin origin;                      // of the newest timeline
  WallTime newest_mark;                        // of the newest entry
};

}  // namespace anclora::protect

// A target that a killed restore left behind: a replica of an address where nobody is, with settings of ours.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protect/restore/live_link.h"
#include "protect/restore/scratch_restore.h"
#include "protect/restore/target_record.h"

namespace anclora::protect {

struct Leftover {
  TargetRecord record;
  bool follows_us = false;    // still a replica of our dead address
  bool only_ours = false;     // nobody but the restore can have written what it holds: it may be written over
  bool same_process = false;  // it was not started again since
  std::string what() const;   // "an interrupted restore to 1/123, begun at ..."
};

// A replica of that address, where nobody answers.
bool follows_dead(const redis::Info& info, const Endpoint& address);

// What a killed restore left on the server behind `link`, by the records of this machine. Nothing: no record is about
// it, or it was started again since and follows somebody else: its settings are its own.
// kUnavailable: it cannot be asked.
Result<std::optional<Leftover>> find_leftover(LiveLink& link, TargetRecords& records);

// Puts back each setting but `kept` that still is as the restore set it; the names of those put back.
Result<std::vector<std::string>> put_settings_back(LiveLink& link, const TargetRecord& record,
                                                   std::string_view kept = {});

struct UndoneRestore {
  std::string target;
  std::string what;                   // of the restore that was undone
  bool detached = false;              // it was a replica, and is a primary now
  std::vector<std::string> settings;  // put back
  std::uint64_t keys = 0;             // that it holds now
  bool partial = false;               // what it holds may be a part of what was to be restored
};
std::string to_text(const UndoneRestore& undone);
std::string to_json(const UndoneRestore& undone);

// anclora restore --undo: makes the target a primary again and puts its settings back; touches none of its data.
// kNotFound when nothing is known of a restore into it: the hint has the commands to type by hand.
Result<UndoneRestore> undo_restore(const redis::RedisUrl& target, const std::string& record_folder,
                                   const RestoreTools& tools);

}  // namespace anclora::protect

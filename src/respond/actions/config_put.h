// config.put: one value of a settings file is set; a copy of the file as it was stands beside it for undo, until
// nobody can ask for that any more (respond/runbook/kept_copies.h).
// traffic.flip and traffic.verify with the file driver: the file that a balancer reads names one of the answers.
#pragma once

#include <memory>

#include "base/file_system.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// Outputs: "key", "changed" (yes | no). Values are secrets: none is journaled or shown, URLs are shown without
// password.
std::unique_ptr<Action> make_config_put(FileSystem& files);
// Brings back the values of a kept copy key by key, after showing what differs. Outputs: "changed" (how many).
std::unique_ptr<Action> make_config_restore(FileSystem& files);
// Outputs: "to".
std::unique_ptr<Action> make_traffic_flip(FileSystem& files);
std::unique_ptr<Action> make_traffic_verify(FileSystem& files);

}  // namespace anclora::respond

// Steps that people do. Approvals are the engine's: a people.approve or people.declare step begins once they are given.
#pragma once

#include <memory>

#include "respond/runbook/action.h"

namespace anclora::respond {

// people.approve, people.declare: nothing is left to do.
std::unique_ptr<Action> make_approved_action();
// people.manual: waits until somebody says that it is done (anclora run done), or its time is over.
std::unique_ptr<Action> make_manual_action();

}  // namespace anclora::respond

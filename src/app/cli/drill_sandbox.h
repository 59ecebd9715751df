// A drill's sandbox: proven separate, healthy and protected before the disaster, put back after it.
#pragma once

#include <string>
#include <vector>

#include "app/cli/command_context.h"
#include "plan/plan.h"
#include "respond/detect/probe_maker.h"
#include "respond/drill/drill_record.h"
#include "respond/runbook/run_plan.h"

namespace anclora::app {

// Targets of the environment, references by this process's environment. `context` and `plan` outlive it.
respond::PlanLookup lookup_in(const CommandContext& context, const plan::Plan& plan, const std::string& environment);

// prove_separation() over the real world: names are looked up, links followed, servers asked for their run_id. And
// prove_unattended() where nobody is there to see what the drill does.
Result<std::vector<respond::DrillCheck>> prove_sandbox(const CommandContext& context, const plan::Plan& plan,
                                                       const std::string& environment, const std::string& scenario,
                                                       bool unattended = false);

// Until what each continuous backup of a Redis protects includes all that this Redis holds now: a disaster played
// before says nothing about recovery points. kDeadlineExceeded names the backup that does not get there.
Status wait_until_protected(const CommandContext& context, const plan::Plan& plan, const std::string& environment,
                            Duration at_most);

// One part of the scenario as a run of its own, under this id; its journal stays in <state>/runs. What it came to is
// added to the record's steps. Ok when it finished; else why not.
Status run_part(CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes, respond::RunPart part,
                const std::string& run, bool approve, std::map<std::string, std::string> marks,
                respond::DrillRecord& record);

// The plan's `cleanup` for this drill; fills record.cleanup. A plan without one has nothing to put back. What is no
// longer proven to be a sandbox is left alone.
void clean_sandbox(CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes, const std::string& run,
                   respond::DrillRecord& record);

}  // namespace anclora::app

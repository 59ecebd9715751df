// What is wrong with a paper plan, in three groups of rules; each finding has the line of the paper.
#pragma once

#include "plan/finding.h"
#include "plan/import/paper_plan.h"

namespace anclora::plan {

// Each command by itself, from a table: what it really does.
void judge_commands(const PaperPlan& paper, Findings& findings);
// What a scenario or procedure lacks or does in the wrong order.
void judge_procedures(const PaperPlan& paper, Findings& findings);
// Objectives, backups, contacts, escalation, drills.
void judge_document(const PaperPlan& paper, Findings& findings);

// Where a command stands, for the rules.
struct CommandContext {
  const PaperProcedure& procedure;
  const std::vector<const ShellCommand*>& commands;  // of its script
  std::size_t index = 0;
  const ShellCommand& command() const { return *commands[index]; }
  // True when some command before this one satisfies it.
  template <class F>
  bool any_before(F&& satisfies) const {
    for (std::size_t i = 0; i < index; ++i)
      if (satisfies(*commands[i])) return true;
    return false;
  }
  template <class F>
  bool any(F&& satisfies) const {
    for (const ShellCommand* command : commands)
      if (satisfies(*command)) return true;
    return false;
  }
};

// `redis-cli --rdb FILE` where the file was fetched before, or the words around speak of a restore.
bool is_false_restore(const CommandContext& context);

struct CommandRule {
  const char* code;
  Severity severity;
  bool (*matches)(const CommandContext& context);
  const char* message;
  const char* hint;
};
// The table's parts.
std::vector<CommandRule> redis_rules();
std::vector<CommandRule> cloud_rules();
std::vector<CommandRule> shell_rules();

}  // namespace anclora::plan

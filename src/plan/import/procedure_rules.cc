#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plan/import/paper_rules.h"

namespace anclora::plan {
namespace {

Place at(std::uint32_t line) { return {line, 1}; }

std::uint32_t rto_of(const PaperPlan& paper, const std::string& severity) {
  for (const PaperObjective& objective : paper.recovery_times)
    if (!severity.empty() && lower_case(objective.name).find(severity) != std::string::npos) return objective.minutes;
  return 0;
}

void judge_minutes(const PaperPlan& paper, const PaperProcedure& scenario, Findings& findings) {
  const ShellScript& script = scenario.script;
  const std::uint32_t sum = script.minutes();
  const std::uint32_t line = script.total_line != 0 ? script.total_line : scenario.section->line;
  if (script.total_minutes && *script.total_minutes != sum && sum > 0)
    add_warning(findings, "scenario.wrong_total", at(line),
                fmt::format("the total says {} minutes; the steps add up to {}", *script.total_minutes, sum),
                "let check add it up");
  const std::uint32_t rto = rto_of(paper, scenario.severity);
  if (rto == 0 || sum == 0) return;
  if (sum > rto)
    add_error(findings, "scenario.over_rto", at(line),
              fmt::format("the steps take {} minutes; the RTO of {} is {}", sum, scenario.severity, rto),
              "let steps run side by side, prepare more beforehand, or promise less");
  else if (sum + 3 > rto)
    add_error(findings, "scenario.no_time_to_detect", at(line),
              fmt::format("the steps take {} of the {} minutes of {}: none is left to detect, to declare and for DNS",
                          sum, rto, scenario.severity),
              "count detection, declaration and DNS time to live too");
}

void judge_order(const PaperProcedure& scenario, Findings& findings) {
  std::uint32_t flip = 0;
  for (const ShellCommand* command : scenario.script.commands()) {
    if (command->is({"aws", "route53", "change-resource-record-sets"})) flip = command->line;
    const std::string count = command->option("--desired-count");
    if (flip != 0 && command->is({"aws", "ecs", "update-service"}) && !count.empty() && count != "0")
      add_error(findings, "order.traffic_before_service", at(flip),
                fmt::format("the users are sent over before the service is started (line {})", command->line),
                "fence, data, service, health, then traffic");
  }
}

void judge_detection(const PaperProcedure& scenario, Findings& findings) {
  if (scenario.detection.empty())
    add_warning(findings, "scenario.no_detection", at(scenario.section->line), "it is not said how this is noticed",
                "name probes, how often and how many times in a row");
  for (const PaperLine& line : scenario.detection) {
    const std::string low = lower_case(line.text);
    if (has_word(low, {"health dashboard", "aws health", "status page"}))
      add_warning(findings, "detection.provider_status", at(line.number),
                  "the provider's status lags, and its interface needs a paid plan",
                  "a signal at most, never the trigger");
    if (has_word(low, {"no ecs task", "no task", "no instance", "no pods"}))
      add_warning(findings, "detection.asks_what_failed", at(line.number),
                  "the failed region is asked: an error is not the number zero",
                  "probe from outside, with up, down and unknown");
    if (has_word(low, {"anomal", "unusual", "unexpected", "inusual"}))
      add_warning(findings, "detection.vague", at(line.number), "nothing measures this",
                  "name a probe with a threshold");
  }
}

void judge_missing(const PaperProcedure& scenario, Findings& findings) {
  const std::uint32_t line = scenario.section->line;
  const auto commands = scenario.script.commands();
  const auto any = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(commands,
                               [&](const ShellCommand* command) { return has_word(lower_case(command->text), words); });
  };
  const auto remarked = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(scenario.remarks,
                               [&](const PaperLine& remark) { return has_word(lower_case(remark.text), words); });
  };
  const bool data =
      scenario.topic == Topic::kRegion || scenario.topic == Topic::kRedis || scenario.topic == Topic::kCorruption;
  if (data && !any({"fence", "client pause", "client no-evict", "acl setuser", "min-replicas", "network-acl"}))
    add_error(findings, "scenario.no_fence", at(line),
              "the old primary is never fenced: when it returns, two sides take writes and send",
              "begin with redis.fence");
  if (!remarked({"declare", "declara"}))
    add_warning(findings, "scenario.no_declaration", at(line), "it is not said who may declare this",
                "declare: {roles: [oncall], timeout: 2m}");
  if (scenario.topic == Topic::kRegion && !any({"failback"}))
    add_warning(findings, "scenario.no_failback", at(line), "the way back is a wish, not a procedure",
                "write it under after:");
  if (scenario.topic == Topic::kRedis && !any({"replicaof", "slaveof", "failover", "promot"}))
    add_error(findings, "redis.no_promotion", at(line), "a replica is never tried, though it loses less and is faster",
              "redis.promote first, redis.restore only when none is fit");
  if (scenario.topic == Topic::kCorruption && !any({"auto-aof-rewrite"}))
    add_error(findings, "redis.history_not_kept", at(line),
              "an automatic AOF rewrite may erase the history from before the damage",
              "redis.evidence first: it keeps state and history");
  if (scenario.topic == Topic::kCorruption && !any({"truncate-to-timestamp", "aof-timestamp", "point-in-time"}))
    add_warning(findings, "redis.no_point_in_time", at(line),
                "only whole copies are gone back to: all that was right since the last one is given up too",
                "keep the stream, and go back to the moment before the damage: recovery_point.bisect");
  if (scenario.topic == Topic::kRegistry && scenario.severity == "critical")
    add_warning(findings, "registry.severity", at(line),
                "running tasks do not need the registry: this is critical only while tasks must be started",
                "freeze scaling and deployments first");
  if (scenario.topic == Topic::kBreach && !any({"snapshot", "evidence"}))
    add_error(findings, "breach.no_evidence", at(line), "nothing is kept as evidence before systems are changed",
              "contain.evidence first");
}

void judge_steps(const PaperProcedure& scenario, Findings& findings) {
  const auto& steps = scenario.script.steps;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const ShellStep& step = steps[i];
    const std::string low = lower_case(step.title);
    if (!step.title.empty() && step.commands.empty())
      add_warning(findings, "step.not_executable", at(step.line), "this step has nothing to execute",
                  "write what is done and how it is verified, or people.manual with evidence");
    if (has_word(low, {"notify", "notif", "inform", "avisar"}) && i + 1 == steps.size() && steps.size() > 1)
      add_error(findings, scenario.topic == Topic::kBreach ? "breach.notified_last" : "people.notified_last",
                at(step.line),
                "people are told last: legal clocks run from the moment of awareness, and nobody helps meanwhile",
                "clock.start and people.notify at the beginning");
  }
}

// $NAME outside of quotes: an empty or odd value becomes no argument, or several.
bool has_unquoted_variable(std::string_view text) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'')
      ++i;
    else if (quote != 0)
      quote = c == quote ? '\0' : quote;
    else if (c == '\'' || c == '"')
      quote = c;
    else if (c == '$')
      return true;
  }
  return false;
}

bool may_wait_for_ever(const ShellCommand& command) {
  return (command.is({"aws"}) || command.is({"curl"}) || command.is({"redis-cli"}) || command.is({"docker", "pull"})) &&
         !has_word(command.text, {"--max-time", " -m ", "--cli-read-timeout"});
}

void judge_shell(const PaperProcedure& procedure, Findings& findings) {
  const auto commands = procedure.script.commands();
  if (commands.size() > 1 &&
      std::ranges::none_of(commands, [](const ShellCommand* command) { return command->is({"set"}); }))
    add_warning(findings, "shell.no_errexit", at(commands.front()->line), "a failed command does not stop what follows",
                "steps of a plan stop at a failure, and say so");
  const auto first = [&](bool (*wrong)(const ShellCommand&)) {
    const auto found = std::ranges::find_if(commands, [&](const ShellCommand* command) { return wrong(*command); });
    return found == commands.end() ? nullptr : *found;
  };
  if (const ShellCommand* command = first([](const ShellCommand& each) { return has_unquoted_variable(each.text); }))
    add_warning(
        findings, "shell.unquoted", at(command->line),
        "a variable stands outside of quotes: when it is empty or has a space in it, the command is another one",
        "values of a plan are never read by a shell");
  if (const ShellCommand* command = first(may_wait_for_ever); command != nullptr && procedure.scenario)
    add_warning(findings, "shell.no_timeout", at(command->line), "nothing ends this command when the other side hangs",
                "steps of a plan have a timeout that the engine keeps");
  for (const ShellCommand* command : commands)
    if (command->is({"aws"}) && command->option("--region").empty() && !command->is({"aws", "s3"}) &&
        procedure.scenario) {
      add_warning(findings, "shell.no_region", at(command->line),
                  "no region is named: it is whatever this machine is set to, perhaps the failed one",
                  "name it at the target");
      break;
    }
}

// Minute, hour and weekday of a cron line; two that meet start at once.
void judge_collisions(const PaperProcedure& procedure, Findings& findings) {
  std::vector<const ShellCommand*> lines;
  for (const ShellCommand* command : procedure.script.commands())
    if (command->words.size() >= 6 && command->words[0].find_first_not_of("0123456789") == std::string::npos &&
        command->words[1].find_first_not_of("0123456789*") == std::string::npos)
      lines.push_back(command);
  const auto meet = [](const std::string& a, const std::string& b) { return a == b || a == "*" || b == "*"; };
  for (std::size_t i = 0; i < lines.size(); ++i)
    for (std::size_t k = i + 1; k < lines.size(); ++k) {
      bool all = true;
      for (std::size_t field = 0; field < 5; ++field) all = all && meet(lines[i]->words[field], lines[k]->words[field]);
      if (all)
        add_error(
            findings, "cron.collision", at(lines[k]->line),
            fmt::format("it starts at the same minute as the job of line {}: \"Background save already in progress\"",
                        lines[i]->line),
            "one scheduler with a lock, or other minutes");
    }
  for (const ShellCommand* line : lines)
    if (!has_word(line->comment, {"keep", "retain", "guardar", "conserv"}))
      add_warning(findings, "backup.no_retention", at(line->line), "it is not said how long these copies are kept",
                  "backups: keep");
}

}  // namespace

void judge_procedures(const PaperPlan& paper, Findings& findings) {
  for (const PaperProcedure& procedure : paper.procedures) {
    judge_shell(procedure, findings);
    judge_collisions(procedure, findings);
    if (!procedure.scenario) continue;
    judge_minutes(paper, procedure, findings);
    judge_order(procedure, findings);
    judge_detection(procedure, findings);
    judge_missing(procedure, findings);
    judge_steps(procedure, findings);
  }
}

}  // namespace anclora::plan

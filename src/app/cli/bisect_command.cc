#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/bounded_option.h"
#include "app/cli/command_context.h"
#include "app/cli/copied_command.h"
#include "app/cli/json_text.h"
#include "app/cli/work_directory.h"
#include "protect/restore/restore_plan.h"
#include "protect/restore/scratch_restore.h"
#include "respond/bisect/bisection.h"
#include "respond/bisect/moment_check.h"

namespace anclora::app {
namespace {

struct BisectArguments {
  std::string name, since, until = "latest";
  std::vector<std::string> rules;
  std::vector<std::string> program;
  std::string check_timeout = "5m";
  std::string redis_server = "redis-server";
  std::string work_directory = "/tmp";
};

Result<respond::MomentCheck> check_of(const BisectArguments& arguments) {
  respond::MomentCheck check;
  for (const std::string& text : arguments.rules) {
    ASSIGN_OR_RETURN(auto rule, respond::parse_keyspace_rule(text));
    check.rules.push_back(std::move(rule));
  }
  check.program = arguments.program;
  ASSIGN_OR_RETURN(check.timeout, duration_option("--check-timeout", arguments.check_timeout,
                                                  std::chrono::milliseconds(10), std::chrono::hours(24)));
  if (check.rules.empty() && check.program.empty())
    return Error(
        ErrorKind::kInvalidArgument, "bisect needs a check that tells a good moment from a bad one",
        "anclora bisect --check 'bull:jobs:* type=hash at-least=100', or a program: anclora bisect -- ./check.sh");
  return check;
}

// A time before everything that is kept: "as far back as one can go".
bool is_before_all(const protect::SourceView& view, const protect::When& when, WallTime now) {
  std::optional<WallTime> time;
  if (const auto* named = std::get_if<protect::WhenTime>(&when)) time = named->time;
  if (const auto* ago = std::get_if<protect::WhenAgo>(&when)) time = now - ago->ago;
  return time && std::ranges::all_of(storage::recovery_windows(view.state),
                                     [&](const storage::RecoveryWindow& window) { return *time < window.from_time; });
}

// Where to search: up to --until, from --since or as far back as one can go without crossing a gap.
struct Range {
  protect::RecoveryPoint from, to;
};
Result<Range> range_of(const CommandContext& context, const protect::SourceView& view,
                       const BisectArguments& arguments) {
  const WallTime now = context.clock.wall_now();
  ASSIGN_OR_RETURN(const protect::When until, protect::parse_when(arguments.until));
  Range range;
  ASSIGN_OR_RETURN(range.to, protect::resolve(view, until, now));
  if (!arguments.since.empty()) {
    ASSIGN_OR_RETURN(const protect::When since, protect::parse_when(arguments.since));
    if (!is_before_all(view, since, now)) {
      ASSIGN_OR_RETURN(range.from, protect::resolve(view, since, now));
      return range;
    }
  }
  for (const storage::RecoveryWindow& window : storage::recovery_windows(view.state))
    if (window.from.timeline == range.to.position.timeline && window.from <= range.to.position &&
        range.to.position <= window.to) {
      ASSIGN_OR_RETURN(range.from,
                       protect::resolve(view, protect::WhenOffset{window.from.timeline, window.from.offset}, now));
      return range;
    }
  return Error(ErrorKind::kNotFound, "no recovery window holds " + to_string(range.to.position),
               "give --since, as anclora history shows it");
}

class ScratchJudge {
 public:
  ScratchJudge(const CommandContext& context, const protect::SourceView& view, const BisectArguments& arguments,
               respond::MomentCheck check)
      : context_(context), view_(view), check_(std::move(check)) {
    settings_.program = arguments.redis_server;
    settings_.work_directory = arguments.work_directory;
  }

  Result<respond::BisectTrial> operator()(const protect::RecoveryPoint& point) const {
    if (stop_requested()) return Error(ErrorKind::kCancelled, "the search was stopped");
    const MonoTime start = context_.clock.mono_now();
    ASSIGN_OR_RETURN(const protect::RestorePlan plan, protect::make_restore_plan(view_.state, point));
    const protect::RestoreTools tools{context_.files, context_.clock, context_.random, context_.dialer, stop_requested};
    ASSIGN_OR_RETURN(const auto scratch,
                     protect::ScratchRestore::bring_up({&view_.store, &view_.repository, view_.state, plan.route}, plan,
                                                       settings_, tools, {}));
    ASSIGN_OR_RETURN(const respond::CheckAnswer answer,
                     respond::ask(check_, scratch->server().client(), scratch->server().directory(), context_.files,
                                  context_.clock));
    respond::BisectTrial trial{point, answer.judgement, answer.said, context_.clock.mono_now() - start};
    if (!context_.options.json)
      context_.out << fmt::format("{}  {}  {}  {}\n", to_string(point.position), format_rfc3339(point.time),
                                  trial.judgement == respond::Judgement::kGood ? "good" : "bad ", trial.said)
                   << std::flush;
    return trial;
  }

 private:
  const CommandContext& context_;
  const protect::SourceView& view_;
  respond::MomentCheck check_;
  protect::ScratchSettings settings_;
};

nlohmann::ordered_json point_json(const protect::RecoveryPoint& point) {
  return {{"position", to_string(point.position)}, {"time", format_rfc3339(point.time)}};
}

void print_json(const CommandContext& context, const std::string& source, const respond::BisectOutcome& outcome,
                const std::string& restore) {
  nlohmann::ordered_json trials = nlohmann::ordered_json::array(), suspects = nlohmann::ordered_json::array();
  for (const auto& trial : outcome.trials) {
    nlohmann::ordered_json json = point_json(trial.point);
    json["good"] = trial.judgement == respond::Judgement::kGood;
    json["said"] = trial.said;
    json["seconds"] = static_cast<double>(trial.took.count()) / 1e6;
    trials.push_back(std::move(json));
  }
  for (const auto& suspect : outcome.suspects)
    suspects.push_back({{"position", to_string(suspect.position)},
                        {"time", format_rfc3339(suspect.time)},
                        {"database", suspect.database},
                        {"command", suspect.command}});
  const nlohmann::ordered_json json = {{"name", source},
                                       {"last_good", point_json(outcome.last_good)},
                                       {"first_bad", point_json(outcome.first_bad)},
                                       {"restores", outcome.trials.size()},
                                       {"suspects", std::move(suspects)},
                                       {"suspect_count", outcome.suspect_count},
                                       {"restore", restore},
                                       {"trials", std::move(trials)}};
  context.out << json_text(json);
}

void print_text(const CommandContext& context, const respond::BisectOutcome& outcome, const std::string& restore) {
  context.out << fmt::format("last good: {} ({}), found with {} scratch restores\n",
                             to_string(outcome.last_good.position), format_rfc3339(outcome.last_good.time),
                             outcome.trials.size());
  for (const auto& suspect : outcome.suspects)
    context.out << fmt::format("then: {}  {}  db{}  {}\n", to_string(suspect.position), format_rfc3339(suspect.time),
                               suspect.database, suspect.command);
  if (outcome.suspect_count > outcome.suspects.size())
    context.out << fmt::format("      and {} more in the same transaction\n",
                               outcome.suspect_count - outcome.suspects.size());
  context.out << "restore the last good moment with: " << restore << "\n";
}

Result<int> run_bisect(const CommandContext& context, const BisectArguments& arguments) {
  ASSIGN_OR_RETURN(respond::MomentCheck check, check_of(arguments));
  RETURN_IF_ERROR(require_work_directory(context.files, arguments.work_directory));
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  ASSIGN_OR_RETURN(const std::string source, context.choose_source(*store, arguments.name));
  ASSIGN_OR_RETURN(const auto state, storage::load_source_state(*store, repository, source));
  const protect::SourceView view{*store, repository, state};
  ASSIGN_OR_RETURN(const Range range, range_of(context, view, arguments));
  const respond::JudgePoint judge = ScratchJudge(context, view, arguments, std::move(check));
  ASSIGN_OR_RETURN(const respond::BisectOutcome outcome,
                   respond::bisect(view, range.from, range.to, context.clock.wall_now(), judge));
  const std::string restore = CopiedCommands(context).complete(
      protect::restore_command(protect::name_words(*store, source), outcome.last_good.position));
  if (context.options.json)
    print_json(context, source, outcome, restore);
  else
    print_text(context, outcome, restore);
  return 0;
}

}  // namespace

void add_bisect_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<BisectArguments>();
  CLI::App* command = app.add_subcommand("bisect", "find the command that did the damage, by scratch restores");
  command->add_option("--check", arguments->rules,
                      "a rule that holds in good moments: 'PATTERN [type=T] [at-least=N] [at-most=N] [keys=N] "
                      "[tolerance=P%] [fields=a,b] [expiry=required|forbidden] [db=N]'; may be repeated");
  command->add_option("program", arguments->program,
                      "after --: a program that exits with 0 for a good moment; it finds the server in "
                      "ANCLORA_CHECK_URL, ANCLORA_CHECK_SOCKET and REDISCLI_AUTH");
  command->add_option("--since", arguments->since, "a good point (default: as far back as one can go)");
  command->add_option("--until", arguments->until, "a bad point")->capture_default_str();
  command->add_option("--name", arguments->name, "the source, where the repository holds several");
  command->add_option("--check-timeout", arguments->check_timeout, "for one check")->capture_default_str();
  command->add_option("--redis-server", arguments->redis_server, "of the source's kind, its version or later")
      ->capture_default_str();
  command->add_option("--work-dir", arguments->work_directory, "for the scratch servers' files")->capture_default_str();
  command->footer(
      "Example: anclora bisect --since '2h ago' --check 'bull:jobs:* type=hash' --repo /srv/redis-backup\n"
      "         anclora bisect --repo /srv/redis-backup -- sh -c 'redis-cli -s $ANCLORA_CHECK_SOCKET GET stock'");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_bisect(context, *arguments); }; });
}

}  // namespace anclora::app

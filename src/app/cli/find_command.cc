#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/bounded_option.h"
#include "app/cli/command_context.h"
#include "app/cli/copied_command.h"
#include "app/cli/error_report.h"
#include "app/cli/json_text.h"
#include "app/view/source_report.h"
#include "protect/find/stream_find.h"
#include "protect/restore/when.h"
#include "storage/journal/damage_hint.h"

namespace anclora::app {
namespace {

struct FindArguments {
  std::string name;
  bool dangerous = false;
  std::string command, key, since, until;
  std::int64_t limit = 1000;
};

// A time, or "5m ago".
Result<std::optional<WallTime>> moment(const CommandContext& context, std::string_view option,
                                       const std::string& text) {
  if (text.empty()) return std::optional<WallTime>();
  if (text.ends_with(" ago")) {
    ASSIGN_OR_RETURN(const Duration ago,
                     duration_option(option, text.substr(0, text.size() - 4), Duration(1), protect::kLongestAgo));
    return std::optional<WallTime>(context.clock.wall_now() - ago);
  }
  const auto time = parse_rfc3339(text);
  if (!time)
    return Error(time.error().kind(), time.error().message(), "write it as 2026-11-24T12:34:56Z, or as \"5m ago\"");
  return std::optional<WallTime>(*time);
}

Result<protect::FindQuery> query_of(const CommandContext& context, const FindArguments& arguments) {
  protect::FindQuery query;
  query.dangerous = arguments.dangerous;
  if (!arguments.command.empty()) query.command = arguments.command;
  if (!arguments.key.empty()) query.key = protect::KeyPattern(arguments.key);
  ASSIGN_OR_RETURN(query.since, moment(context, "--since", arguments.since));
  ASSIGN_OR_RETURN(query.until, moment(context, "--until", arguments.until));
  if (query.since && query.until && *query.until < *query.since)
    return Error(ErrorKind::kInvalidArgument, "--until " + arguments.until + " is before --since " + arguments.since,
                 "exchange the two");
  query.limit = static_cast<std::uint64_t>(arguments.limit);
  return query;
}

nlohmann::ordered_json found_json(const protect::FoundCommand& found) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(protect::to_json(found));
  json["at"] = "before:" + to_string(found.restore_before);
  return json;
}

nlohmann::ordered_json summary_json(const protect::FindSummary& summary, nlohmann::ordered_json found) {
  return {{"found", std::move(found)},
          {"cut_off", summary.cut_off},
          {"indexes_read", summary.indexes_read},
          {"stretches_scanned", summary.stretches_scanned},
          {"bytes_scanned", summary.bytes_scanned},
          {"note", summary.note}};
}

// A command of just now may not be protected yet.
std::string searched_up_to(const storage::SourceState& state) {
  if (!state.head) return {};
  const storage::LogEntry& newest = state.head->entry;
  return fmt::format(" up to {}{}", to_string(storage::Position{state.head->timeline, newest.boundary}),
                     newest.marks.empty() ? std::string() : ", " + format_rfc3339(newest.marks.back().wall));
}

Result<int> run_find(const CommandContext& context, const FindArguments& arguments) {
  ASSIGN_OR_RETURN(const protect::FindQuery query, query_of(context, arguments));
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  ASSIGN_OR_RETURN(const std::string source, context.choose_source(*store, arguments.name));
  ASSIGN_OR_RETURN(const auto state,
                   storage::load_source_state(*store, repository, source, storage::DamagedTail::kStepBack));
  auto damaged = damaged_objects(state);
  if (!context.options.json) context.err << to_text(damaged);
  if (const std::string note = protect::scan_note(query); !note.empty() && !context.options.json)
    context.err << "note: " << note << "\n";
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  const CopiedCommands commands(context);
  const auto on_found = [&](protect::FoundCommand found) -> Status {
    found.restore = commands.complete(std::move(found.restore));
    if (context.options.json)
      list.push_back(found_json(found));
    else
      context.out << protect::to_text(found) << "\n";
    return {};
  };
  ASSIGN_OR_RETURN(const protect::FindSummary summary,
                   protect::find_commands({*store, repository, state}, query, on_found));
  damaged.insert(damaged.end(), summary.unread.begin(), summary.unread.end());
  if (context.options.json) {
    nlohmann::ordered_json json = summary_json(summary, std::move(list));
    json["damaged"] = to_json(damaged);
    context.out << json_text(json);
  } else {
    if (summary.found == 0)
      context.out << "nothing found" << (arguments.until.empty() ? searched_up_to(state) : "") << "\n";
    if (summary.cut_off)
      context.out << fmt::format("there is more than {} lines: narrow it with --since, --until or --limit\n",
                                 query.limit);
    context.err << to_text(summary.unread);
  }
  if (!summary.unread.empty())
    return print_error(context, Error(ErrorKind::kDataLoss,
                                      fmt::format("{} object{} could not be read: what is in there was not searched",
                                                  summary.unread.size(), summary.unread.size() == 1 ? "" : "s"),
                                      storage::kDamageHint));
  return damaged.empty() ? 0 : exit_code(ErrorKind::kDataLoss);
}

}  // namespace

void add_find_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<FindArguments>();
  CLI::App* command =
      app.add_subcommand("find", "which command did what, when, and how to get the state before it back");
  command->add_flag("--dangerous", arguments->dangerous,
                    "FLUSHALL, FLUSHDB, SWAPDB and mass deletions (reads indexes only)");
  command->add_option("--command", arguments->command, "commands of this name");
  command->add_option("--key", arguments->key, "commands that name this key, or a GLOB");
  command->add_option("--since", arguments->since, "from this time on: RFC 3339 or \"5m ago\"");
  command->add_option("--until", arguments->until, "up to this time");
  command->add_option("--limit", arguments->limit, "at most so many lines")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
      ->capture_default_str();
  command->add_option("--name", arguments->name, "the source, where the repository holds several");
  command->footer("Example: anclora find --dangerous --since \"1h ago\" --repo /srv/redis-backup");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_find(context, *arguments); }; });
}

}  // namespace anclora::app

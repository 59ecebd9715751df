#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command_context.h"
#include "app/cli/json_text.h"
#include "app/daemon/mirror_note.h"
#include "app/daemon/state_folder.h"
#include "app/view/last_verification.h"
#include "app/view/source_report.h"
#include "storage/repository/mirror.h"

namespace anclora::app {
namespace {

// All was shown that could be; docs/exit-codes.md.
const int kExitDamaged = exit_code(ErrorKind::kDataLoss);

Result<std::vector<std::string>> chosen_sources(const CommandContext& context, storage::ReadStore& store,
                                                const std::string& name) {
  if (name.empty()) return storage::list_sources(store);
  ASSIGN_OR_RETURN(std::string source, context.choose_source(store, name));
  return std::vector<std::string>{std::move(source)};
}

std::string no_source_text(const storage::ReadStore& store) {
  return "no source yet: anclora capture --source redis://HOST:6379 --repo " + store.describe() + "\n";
}

std::string_view role_text(storage::MirrorRole role) {
  switch (role) {
    case storage::MirrorRole::kMirror:
      return "mirror";
    case storage::MirrorRole::kPromoted:
      return "promoted mirror";
    case storage::MirrorRole::kNotAMirror:
      break;
  }
  return "primary";
}

// How far a copy of a source is behind it: entries where both ends are known.
struct MirrorLag {
  std::string name;
  std::optional<std::uint64_t> entries;
  Duration behind{};
};

// `states`: of the repository that is asked, which is the note's origin or its mirror.
std::vector<MirrorLag> mirror_lags(const MirrorNote& note, bool is_origin,
                                   const std::vector<storage::SourceState>& states, WallTime now) {
  std::vector<MirrorLag> lags;
  for (const storage::SourceState& state : states) {
    MirrorLag lag{state.source, {}, std::max(Duration(0), now - note.as_of)};
    const auto copied = note.newest.find(state.source);
    const bool known = is_origin && state.head && copied != note.newest.end();
    if (known && state.head->timeline.value == copied->second.timeline)
      lag.entries = state.head->sequence - std::min(state.head->sequence, copied->second.sequence);
    if (lag.entries == 0u) lag.behind = Duration(0);
    lags.push_back(std::move(lag));
  }
  return lags;
}

void add_mirror(const MirrorNote& note, const std::vector<MirrorLag>& lags, nlohmann::ordered_json& list,
                std::string& text) {
  nlohmann::ordered_json sources = nlohmann::ordered_json::array();
  text += fmt::format("mirror {} -> {}  complete as of {}\n", note.from, note.to, format_rfc3339(note.as_of));
  for (const MirrorLag& lag : lags) {
    sources.push_back({{"name", lag.name},
                       {"entries_behind", lag.entries ? nlohmann::ordered_json(*lag.entries) : nullptr},
                       {"seconds_behind", static_cast<double>(lag.behind.count()) / 1e6}});
    text += fmt::format("  {:16}  behind by {}{}\n", lag.name,
                        lag.entries ? fmt::format("{} entries, ", *lag.entries) : std::string("at most "),
                        format_duration(lag.behind));
  }
  list.push_back(
      {{"from", note.from}, {"to", note.to}, {"as_of", format_rfc3339(note.as_of)}, {"sources", std::move(sources)}});
}

Result<int> run_status(const CommandContext& context, const std::string& name) {
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  ASSIGN_OR_RETURN(const auto sources, chosen_sources(context, *store, name));
  ASSIGN_OR_RETURN(const storage::MirrorRole role, storage::mirror_role(*store));
  ASSIGN_OR_RETURN(const WallTime now, storage::time_for_reading(*store, context.clock));
  ASSIGN_OR_RETURN(const VerificationLook verification, last_verification(*store, repository));
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string text;
  std::vector<storage::SourceState> states;
  bool damaged = !verification.damaged.empty();
  for (const std::string& source : sources) {
    ASSIGN_OR_RETURN(auto state,
                     storage::load_source_state(*store, repository, source, storage::DamagedTail::kStepBack));
    const SourceReport report = report_source(state, now, verification.last);
    damaged = damaged || !report.damaged.empty();
    list.push_back(to_json(report));
    text += to_text(report, now);
    states.push_back(std::move(state));
  }
  const std::string place = place_of(context.options.repo);
  ASSIGN_OR_RETURN(const auto notes, mirror_notes_about(context.files, mirror_note_folder(context.environment), place));
  nlohmann::ordered_json mirrors = nlohmann::ordered_json::array();
  for (const MirrorNote& note : notes)
    if (role != storage::MirrorRole::kPromoted || note.from == place)
      add_mirror(note, mirror_lags(note, note.from == place, states, now), mirrors, text);
  if (context.options.json) {
    const nlohmann::ordered_json json = {{"repository", store->describe()},
                                         {"id", repository.id()},
                                         {"role", role_text(role)},
                                         {"time", format_rfc3339(now)},
                                         {"sources", std::move(list)},
                                         {"mirrors", std::move(mirrors)},
                                         {"damaged", to_json(verification.damaged)}};
    context.out << json_text(json);
    return damaged ? kExitDamaged : 0;
  }
  context.out << "repository " << store->describe() << " (" << role_text(role) << ")\n"
              << to_text(verification.damaged);
  if (!verification.damaged.empty()) context.out << "  to mend           anclora verify leaves a new record\n";
  if (sources.empty()) text = no_source_text(*store);
  context.out << text;
  return damaged ? kExitDamaged : 0;
}

Result<int> run_history(const CommandContext& context, const std::string& name) {
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  ASSIGN_OR_RETURN(const auto sources, chosen_sources(context, *store, name));
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  bool damaged = false;
  for (const std::string& source : sources) {
    ASSIGN_OR_RETURN(const auto state,
                     storage::load_source_state(*store, repository, source, storage::DamagedTail::kStepBack));
    damaged = damaged || !damaged_objects(state).empty();
    if (context.options.json)
      list.push_back(history_json(state));
    else
      context.out << history_text(state) << to_text(damaged_objects(state));
  }
  if (context.options.json)
    context.out << json_text({{"sources", std::move(list)}});
  else if (sources.empty())
    context.out << no_source_text(*store);
  return damaged ? kExitDamaged : 0;
}

}  // namespace

void add_status_command(CLI::App& app, CommandContext& context) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("status", "lag, protected up to, recovery windows, gaps, what to mend first");
  command->add_option("--name", *name, "one source (default: all)");
  command->footer("Example: anclora status --repo /srv/redis-backup --json");
  command->callback([&context, name] { context.action = [&context, name] { return run_status(context, *name); }; });
}

void add_history_command(CLI::App& app, CommandContext& context) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("history", "timelines, bases and sizes");
  command->add_option("--name", *name, "one source (default: all)");
  command->footer("Example: anclora history --repo s3://backups/redis");
  command->callback([&context, name] { context.action = [&context, name] { return run_history(context, *name); }; });
}

}  // namespace anclora::app

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/bounded_option.h"
#include "app/cli/command_context.h"
#include "app/cli/copied_command.h"
#include "app/cli/idle_option.h"
#include "app/cli/json_text.h"
#include "app/cli/not_a_mirror.h"
#include "app/cli/redis_url_option.h"
#include "base/printable.h"
#include "protect/restore/recovery_point.h"
#include "redis/client/client.h"
#include "redis/client/info.h"
#include "storage/repository/log_writer.h"
#include "storage/repository/retire.h"

namespace anclora::app {
namespace {

struct TagArguments {
  std::string tag;
  std::string name;
  std::string at;
  RedisUrlOption source;
  std::string note;
  std::string timeout = "60s";
  bool list = false;
};

struct Wanted {
  storage::Position position;
  WallTime time;
};

// What a source holds now. An offset means nothing under another replication id.
struct SourcePoint {
  std::string replication_id;
  redis::Offset offset;
};

Result<SourcePoint> source_point_now(const CommandContext& context, const RedisUrlOption& source) {
  ASSIGN_OR_RETURN(const redis::RedisUrl url, source.parse(context));
  ASSIGN_OR_RETURN(const auto client, redis::Client::connect(url, context.dialer, context.clock));
  ASSIGN_OR_RETURN(const redis::Info info, client->info("replication"));
  const auto offset = info.offset();
  if (!offset) return Error(ErrorKind::kFailedPrecondition, url.to_string() + " does not tell its replication offset");
  return SourcePoint{info.replid(), *offset};
}

bool holds(const storage::SourceState& state, const storage::Position& newest, const SourcePoint& point) {
  const auto timeline = std::ranges::find(state.timelines, newest.timeline, &storage::TimelineState::id);
  return timeline != state.timelines.end() && timeline->replication_id == point.replication_id &&
         newest.offset >= point.offset;
}

bool stopped(const storage::LogEntry& newest) {
  return newest.kind == storage::EntryKind::kClaim && newest.note == storage::kReleasedNote;
}

// Waits for the first protected point that is later than `called` and, given one, holds the source's `point`.
Result<Wanted> wait_for_point(const CommandContext& context, storage::ReadStore& store,
                              const storage::Repository& repository, const std::string& source, WallTime called,
                              const std::optional<SourcePoint>& point, Duration timeout) {
  const MonoTime deadline = context.clock.mono_now() + timeout;
  while (!stop_requested()) {
    ASSIGN_OR_RETURN(const auto state, storage::load_source_state(store, repository, source));
    const auto windows = recovery_windows(state);
    if (!windows.empty()) {
      const storage::RecoveryWindow& newest = windows.back();
      const bool reached = point ? holds(state, newest.to, *point) : state.head && state.head->stored >= called;
      if (reached && state.head && state.head->timeline == newest.to.timeline) return Wanted{newest.to, newest.to_time};
    }
    if (state.head && state.head->stored < called && stopped(state.head->entry))
      return Error(ErrorKind::kFailedPrecondition, "capture was stopped: nothing newer becomes protected",
                   "start capture first, or pin the newest point there is: --at latest");
    if (context.clock.mono_now() > deadline)
      return Error(ErrorKind::kDeadlineExceeded,
                   fmt::format("nothing newer became protected within {}", format_duration(timeout)),
                   "is capture running? anclora status; or pin an older point with --at");
    context.clock.sleep_for(std::chrono::milliseconds(100));
  }
  return Error(ErrorKind::kCancelled, "stopped before a point was pinned");
}

Result<Wanted> wanted_point(const CommandContext& context, storage::ReadStore& store,
                            const storage::Repository& repository, const std::string& source,
                            const TagArguments& arguments) {
  if (!arguments.at.empty()) {
    ASSIGN_OR_RETURN(const protect::When when, protect::parse_when(arguments.at));
    ASSIGN_OR_RETURN(const auto state, storage::load_source_state(store, repository, source));
    ASSIGN_OR_RETURN(const protect::RecoveryPoint point,
                     protect::resolve({store, repository, state}, when, context.clock.wall_now()));
    return Wanted{point.position, point.time};
  }
  ASSIGN_OR_RETURN(const Duration timeout, duration_option("--timeout", arguments.timeout,
                                                           std::chrono::milliseconds(10), std::chrono::hours(24)));
  std::optional<SourcePoint> point;
  if (!arguments.source.url.empty()) {
    ASSIGN_OR_RETURN(point, source_point_now(context, arguments.source));
  }
  ASSIGN_OR_RETURN(const WallTime called, store.now());
  return wait_for_point(context, store, repository, source, called, point, timeout);
}

Result<int> list_tags(const CommandContext& context, storage::ReadStore& store, const storage::Repository& repository,
                      const std::string& source) {
  ASSIGN_OR_RETURN(const auto pins, storage::list_pins(store, repository, source));
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const storage::Pin& pin : pins) {
    list.push_back({{"name", pin.name},
                    {"position", to_string(pin.position)},
                    {"time", format_rfc3339(pin.time)},
                    {"note", pin.note}});
    if (!context.options.json)
      context.out << fmt::format("{:24}  {}  {}  {}\n", pin.name, to_string(pin.position), format_rfc3339(pin.time),
                                 printable_line(pin.note));
  }
  if (context.options.json) context.out << json_text(nlohmann::ordered_json{{"tags", std::move(list)}});
  return 0;
}

// Before a minute is waited for a point that the tag could not have.
Status check_free(storage::ReadStore& store, const storage::Repository& repository, const std::string& source,
                  const std::string& tag) {
  const auto there = storage::read_pin(store, repository, source, tag);
  if (!there) return there.error().kind() == ErrorKind::kNotFound ? Status() : there.error();
  return Error(ErrorKind::kAlreadyExists, source + " already has a tag " + tag,
               "choose another name: a tag is never moved");
}

Result<int> run_tag(const CommandContext& context, const TagArguments& arguments) {
  // Whoever types this means the verb: a tag is for ever, and none should come of it by mistake.
  if (arguments.tag == "list")
    return Error(ErrorKind::kInvalidArgument, "\"list\" is no name for a tag",
                 "to see the tags: anclora tag --list; else choose another name");
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  ASSIGN_OR_RETURN(const std::string source, context.choose_source(*store, arguments.name));
  if (arguments.list) return list_tags(context, *store, repository, source);
  if (arguments.tag.empty())
    return Error(ErrorKind::kInvalidArgument, "the tag has no name",
                 "anclora tag before-release, or anclora tag --list");
  RETURN_IF_ERROR(require_not_a_mirror(*store, "tag the point in the repository that is mirrored: the tag is copied"));
  RETURN_IF_ERROR(check_free(*store, repository, source, arguments.tag));
  ASSIGN_OR_RETURN(const Wanted wanted, wanted_point(context, *store, repository, source, arguments));
  const storage::Pin pin{arguments.tag, wanted.position, wanted.time, context.clock.wall_now(),
                         std::nullopt,  arguments.note};
  RETURN_IF_ERROR(storage::pin_recovery_point(*store, repository, source, pin, context.random));
  if (context.options.json)
    context.out << json_text(
        {{"name", pin.name}, {"position", to_string(pin.position)}, {"time", format_rfc3339(pin.time)}});
  else
    context.out << fmt::format("pinned {} at {} ({})\nrestore it with: {}\n", pin.name, to_string(pin.position),
                               format_rfc3339(pin.time),
                               CopiedCommands(context).complete(
                                   protect::restore_command(protect::name_words(*store, source), "tag:" + pin.name)));
  return 0;
}

}  // namespace

void add_tag_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<TagArguments>();
  CLI::App* command = app.add_subcommand("tag", "pin a recovery point for ever: the on-demand backup");
  command->add_option("tag", arguments->tag, "the tag's name");
  command->add_option("--name", arguments->name, "the source, where the repository holds several");
  CLI::Option* at =
      command->add_option("--at", arguments->at, "an older point: a time, 5m ago, offset:[T/]N, before:[T/]N");
  command
      ->add_option("--source", arguments->source.url,
                   "wait until what this Redis holds now is protected, then pin that")
      ->excludes(at);
  arguments->source.add_to(*command, "source-");
  command->add_option("--note", arguments->note, "a note for people");
  command->add_option("--timeout", arguments->timeout, "how long to wait for a protected point")->capture_default_str();
  command->add_flag("--list", arguments->list, "show the tags");
  command->footer("Example: anclora tag before-release --repo /srv/redis-backup");
  command->callback([&context, arguments, command] {
    context.action = [&context, arguments, command]() -> Result<int> {
      if (arguments->list)
        RETURN_IF_ERROR(refuse_idle(*command, {"tag", "--at", "--source", "--note", "--timeout"}, "with --list"));
      if (!arguments->at.empty()) RETURN_IF_ERROR(refuse_idle(*command, {"--timeout"}, "with --at"));
      return run_tag(context, *arguments);
    };
  });
}

}  // namespace anclora::app

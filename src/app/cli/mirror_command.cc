#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/bounded_option.h"
#include "app/cli/command_context.h"
#include "app/cli/idle_option.h"
#include "app/cli/json_text.h"
#include "app/cli/nested_place.h"
#include "app/daemon/mirror_note.h"
#include "app/daemon/state_folder.h"
#include "storage/repository/mirror.h"
#include "storage/repository/nested.h"

namespace anclora::app {
namespace {

constexpr Duration kCompareEvery = std::chrono::hours(24);  // with --follow --checksum

struct MirrorArguments {
  std::string to;
  std::string to_endpoint, to_region;
  bool follow = false;
  bool promote = false;
  bool checksum = false;
  std::string interval = "1s";
};

void print_pass(const CommandContext& context, const storage::MirrorProgress& progress, Duration took) {
  if (context.options.json)
    context.out << nlohmann::ordered_json{{"objects_copied", progress.objects_copied},
                                          {"bytes_copied", progress.bytes_copied},
                                          {"objects_present", progress.objects_present},
                                          {"objects_compared", progress.objects_compared},
                                          {"seconds", static_cast<double>(took.count()) / 1e6}}
                       .dump()
                << std::endl;
  else
    context.out << fmt::format("copied {} objects, {} ({} were there{}) in {}", progress.objects_copied,
                               format_size(progress.bytes_copied), progress.objects_present,
                               progress.objects_compared == 0
                                   ? std::string()
                                   : fmt::format(", {} of them compared", progress.objects_compared),
                               format_duration(took))
                << std::endl;
}

// It is only told by `status`: a mirror does not fail for it.
void note_progress(const CommandContext& context, const MirrorArguments& arguments,
                   const storage::MirrorProgress& progress) {
  const MirrorNote note{place_of(context.options.repo), place_of(arguments.to), progress.as_of, progress.newest};
  const Status written = write_mirror_note(context.files, mirror_note_folder(context.environment), note);
  if (!written)
    context.err << "warning: status will not know how far the mirror is: " << written.error().message() << std::endl;
}

// Follows until stopped; an outage of either store is told once and waited out.
Result<int> follow(const CommandContext& context, const MirrorArguments& arguments, storage::ReadStore& from,
                   storage::AppendStore& to, Duration interval) {
  const auto stop = stop_requested;
  bool away = false;
  std::optional<MonoTime> compared;
  while (!stop()) {
    const MonoTime started = context.clock.mono_now();
    storage::MirrorOptions options;
    options.stop = stop;
    options.checksum = arguments.checksum && (!compared || started - *compared >= kCompareEvery);
    const auto progress = storage::mirror_once(from, to, context.clock, options);
    if (progress) {
      if (options.checksum) compared = started;
      note_progress(context, arguments, *progress);
      if (progress->objects_copied > 0 || options.checksum || away)
        print_pass(context, *progress, context.clock.mono_now() - started);
      away = false;
    } else if (progress.error().kind() == ErrorKind::kCancelled) {
      break;
    } else if (retry_class(progress.error().kind()) == RetryClass::kRetry) {
      if (!away) context.err << "anclora: " << progress.error().message() << "; trying on" << std::endl;
      away = true;
    } else {
      return progress.error();
    }
    for (Duration slept{0}; slept < interval && !stop(); slept += std::chrono::milliseconds(100))
      context.clock.sleep_for(std::chrono::milliseconds(100));
  }
  return 0;
}

// A copy inside its own repository is lost with it, and would be taken for its objects; the other way round too.
Status refuse_nesting(const std::string& from, const std::string& to) {
  const auto place = [](std::string url) {
    if (!url.starts_with("s3://")) {
      std::error_code failed;
      if (url.starts_with("file://")) url.erase(0, 7);
      const auto path = std::filesystem::weakly_canonical(url, failed);
      if (!failed) url = path.string();
    }
    return url.ends_with('/') ? url : url + "/";
  };
  const std::string source = place(from), copy = place(to);
  if (source == copy || (!copy.starts_with(source) && !source.starts_with(copy))) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("{} and {} lie inside each other", from, to),
               "mirror to a place of its own, best on another machine");
}

// As the copy's place is to be opened: it may be in another region, or with another service.
CommandContext context_of_copy(const CommandContext& context, const MirrorArguments& arguments) {
  CommandContext there = context;
  if (!arguments.to_endpoint.empty()) there.options.s3_endpoint = arguments.to_endpoint;
  if (!arguments.to_region.empty()) there.options.s3_region = arguments.to_region;
  return there;
}

Result<int> run_mirror(const CommandContext& context, const MirrorArguments& arguments) {
  const CommandContext there = context_of_copy(context, arguments);
  if (arguments.promote) {
    ASSIGN_OR_RETURN(const auto store, there.open_store(arguments.to.empty() ? context.options.repo : arguments.to));
    RETURN_IF_ERROR(storage::promote_mirror(*store, context.clock));
    if (context.options.json)
      context.out << json_text(nlohmann::ordered_json{{"promoted", store->describe()}});
    else
      context.out << store->describe() << " is a repository of its own now: capture may write to it\n";
    return 0;
  }
  if (arguments.to.empty())
    return Error(ErrorKind::kInvalidArgument, "no place for the copy was named",
                 "anclora mirror --to s3://other-bucket/prefix");
  ASSIGN_OR_RETURN(const Duration interval, duration_option("--interval", arguments.interval,
                                                            std::chrono::milliseconds(10), std::chrono::hours(168)));
  RETURN_IF_ERROR(refuse_nesting(context.options.repo, arguments.to));
  ASSIGN_OR_RETURN(const auto from, context.open_store());
  // Opening proves that the secret fits, before anything is copied.
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*from));
  ASSIGN_OR_RETURN(const auto to, there.open_store(arguments.to));
  const auto begun = storage::holds_repository(*to);
  if (!begun && !arguments.follow) return begun.error();
  if (begun && !*begun) RETURN_IF_ERROR(refuse_nested_place(there, arguments.to));
  if (arguments.follow) return follow(context, arguments, *from, *to, interval);
  const MonoTime started = context.clock.mono_now();
  storage::MirrorOptions options;
  options.stop = stop_requested;
  options.checksum = arguments.checksum;
  ASSIGN_OR_RETURN(const auto progress, storage::mirror_once(*from, *to, context.clock, options));
  note_progress(context, arguments, progress);
  print_pass(context, progress, context.clock.mono_now() - started);
  return 0;
}

}  // namespace

void add_mirror_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<MirrorArguments>();
  CLI::App* command = app.add_subcommand("mirror", "a second copy of the repository, elsewhere, itself restorable");
  command->add_option("--to", arguments->to, "where: a path or s3://bucket/prefix");
  command->add_option("--to-s3-endpoint", arguments->to_endpoint, "of the copy, where it is not the repository's");
  command->add_option("--to-s3-region", arguments->to_region, "of the copy, where it is not the repository's");
  command->add_flag("--follow", arguments->follow, "go on copying until stopped");
  command->add_option("--interval", arguments->interval, "pause between two passes with --follow")
      ->capture_default_str();
  command->add_flag("--checksum", arguments->checksum,
                    "compare also the bytes of what is there, not only its size; with --follow once a day");
  command->add_flag("--promote", arguments->promote, "make the mirror a repository that capture may write to");
  command->footer(
      "Example: anclora mirror --repo s3://backups-eu-west-1/redis --to s3://backups-eu-central-1/redis --follow");
  command->callback([&context, arguments, command] {
    context.action = [&context, arguments, command]() -> Result<int> {
      if (arguments->promote) RETURN_IF_ERROR(refuse_idle(*command, {"--follow", "--checksum"}, "with --promote"));
      if (!arguments->follow) RETURN_IF_ERROR(refuse_idle(*command, {"--interval"}, "without --follow"));
      return run_mirror(context, *arguments);
    };
  });
}

}  // namespace anclora::app

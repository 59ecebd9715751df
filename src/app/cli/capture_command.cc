#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <ostream>

#include "app/cli/bounded_option.h"
#include "app/cli/command_context.h"
#include "app/cli/inside_repository.h"
#include "app/cli/not_a_mirror.h"
#include "app/cli/redis_url_option.h"
#include "app/daemon/capture_runner.h"
#include "app/daemon/scratch_base_maker.h"
#include "app/daemon/state_folder.h"

namespace anclora::app {
namespace {

using namespace std::chrono_literals;

struct CaptureArguments {
  RedisUrlOption source;
  std::string name = "default";
  std::string outbox, outbox_limit = "4GiB";
  std::string ack = "durable";
  std::string seal_interval, pack_age = "60s";
  std::string base_every = "24h", base_from = "scratch", replay_limit = "60s";
  std::string drain_timeout = "10s";
  std::string metrics;
  std::string redis_server = "redis-server", work_directory = "/tmp";
  bool allow_url_change = false;
};

// With less, one command of an ordinary size makes capture leave its source for ever. More is no disk that anybody has.
constexpr std::uint64_t kSmallestOutbox = 1 << 20;
constexpr std::uint64_t kLargestOutbox = std::uint64_t{1} << 46;

Result<Duration> default_interval(const std::string& text, const std::string& repo) {
  if (!text.empty()) return duration_option("--seal-interval", text, 10ms, 1h);
  // On S3 each put costs a request and a round trip; a folder costs a file.
  return repo.starts_with("s3://") ? Duration(std::chrono::seconds(1)) : Duration(std::chrono::milliseconds(100));
}

Result<protect::CaptureOptions> options_of(const CommandContext& context, const CaptureArguments& arguments) {
  protect::CaptureOptions options;
  RETURN_IF_ERROR(storage::check_source_name(arguments.name));
  options.name = arguments.name;
  ASSIGN_OR_RETURN(options.source, arguments.source.parse(context));
  options.allow_url_change = arguments.allow_url_change;
  options.ack = arguments.ack == "received" ? protect::AckMode::kReceived : protect::AckMode::kDurable;
  ASSIGN_OR_RETURN(options.seal.interval, default_interval(arguments.seal_interval, context.options.repo));
  ASSIGN_OR_RETURN(options.pack_every, duration_option("--pack-age", arguments.pack_age, 10ms, 24h));
  ASSIGN_OR_RETURN(options.outbox_limit_bytes,
                   size_option("--outbox-limit", arguments.outbox_limit, kSmallestOutbox, kLargestOutbox));
  ASSIGN_OR_RETURN(options.base_every, duration_option("--base-every", arguments.base_every, 1s, 8784h));
  ASSIGN_OR_RETURN(options.replay_limit, duration_option("--replay-limit", arguments.replay_limit, 10ms, 168h));
  options.base_from = arguments.base_from == "source"  ? protect::BaseFrom::kSource
                      : arguments.base_from == "never" ? protect::BaseFrom::kNever
                                                       : protect::BaseFrom::kScratch;
  return options;
}

// A day may pass until the first later base needs them.
Status check_scratch(const CommandContext& context, const CaptureArguments& arguments) {
  if (arguments.base_from != "scratch") return {};
  if (const auto folder = context.files.stat(arguments.work_directory); folder && !folder->is_directory)
    return Error(ErrorKind::kInvalidArgument, "--work-dir " + arguments.work_directory + " is not a folder",
                 "name a folder with room for a base");
  const std::string& program = arguments.redis_server;
  if (program.find('/') == std::string::npos || ::access(program.c_str(), X_OK) == 0) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("--redis-server {}: {}", program, std::strerror(errno)),
               "name a redis-server program, or let others make the bases: --base-from source");
}

Result<CaptureRunnerOptions> runner_options(const CommandContext& context, const CaptureArguments& arguments) {
  CaptureRunnerOptions options;
  ASSIGN_OR_RETURN(options.drain_timeout, duration_option("--drain-timeout", arguments.drain_timeout, 10ms, 1h));
  options.json = context.options.json;
  options.terminal = ::isatty(STDOUT_FILENO) == 1;
  if (!arguments.metrics.empty()) {
    const auto address = redis::RedisUrl::parse("redis://" + arguments.metrics);
    if (!address || arguments.metrics.rfind(':') == std::string::npos)
      return Error(ErrorKind::kInvalidArgument, "--metrics " + arguments.metrics + ": not HOST:PORT",
                   "write it as 127.0.0.1:9121");
    options.metrics = address->endpoint;
  }
  return options;
}

// A mirror is read-only for capture until it is promoted. A store that does not answer cannot be asked: its log's fence
// is what holds then.
Status refuse_mirror(storage::ReadStore& store) {
  Status allowed = require_not_a_mirror(store);
  if (!allowed && retry_class(allowed.error().kind()) == RetryClass::kRetry) return {};
  return allowed;
}

// Capture's few threads hand buffers of megabytes to each other. With a heap for each thread, glibc would keep the peak
// of every one of them; with its usual thresholds each buffer would be paged in anew. Before the first thread.
void share_one_heap() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 32 << 20);
}

Result<int> run_capture_command(const CommandContext& context, const CaptureArguments& arguments) {
  share_one_heap();
  ASSIGN_OR_RETURN(const protect::CaptureOptions options, options_of(context, arguments));
  ASSIGN_OR_RETURN(const CaptureRunnerOptions runner, runner_options(context, arguments));
  RETURN_IF_ERROR(check_scratch(context, arguments));
  ASSIGN_OR_RETURN(const ServiceNotifier notifier, ServiceNotifier::create(context.environment));
  const std::string outbox = arguments.outbox.empty()
                                 ? state_folder(context.environment, context.options.repo, arguments.name)
                                 : arguments.outbox;
  // A name in it, as the repository's own folder is refused too.
  RETURN_IF_ERROR(refuse_inside_repository(context.files, outbox + "/any",
                                           "the outbox is for when the store is away: give it a folder elsewhere"));
  // Capture retries by itself, in order, and spools meanwhile: the store may give up soon.
  ASSIGN_OR_RETURN(const auto store, context.open_store_for_capture());
  RETURN_IF_ERROR(refuse_mirror(*store));
  RETURN_IF_ERROR(context.files.create_directories(outbox));
  ASSIGN_OR_RETURN(const storage::Unlock unlock, context.unlock(false));
  ASSIGN_OR_RETURN(const storage::Repository repository,
                   storage::Repository::open_with_cache(*store, context.files, outbox + "/repository", unlock));
  protect::ScratchSettings scratch;
  scratch.program = arguments.redis_server;
  scratch.work_directory = arguments.work_directory;
  ScratchBaseMaker base_maker(*store, repository, scratch,
                              {context.files, context.clock, context.random, context.dialer, {}});
  ASSIGN_OR_RETURN(const auto capture,
                   protect::Capture::open({*store, repository, context.files, context.clock, context.random},
                                          context.dialer, &base_maker, options, outbox));
  RETURN_IF_ERROR(run_capture(*capture, runner, context.clock, notifier, context.out, stop_source().get_token()));
  return 0;
}

}  // namespace

void add_capture_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<CaptureArguments>();
  CLI::App* command = app.add_subcommand("capture", "protect a Redis until stopped");
  command->add_option("--source", arguments->source.url, "redis://[user[:password]@]host[:port], rediss:// or unix://")
      ->required();
  arguments->source.add_to(*command, "source-");
  command->add_option("--name", arguments->name, "the source's name in the repository")->capture_default_str();
  command->add_flag("--allow-url-change", arguments->allow_url_change,
                    "the source of this name has moved to another URL");
  command->add_option("--outbox", arguments->outbox,
                      "folder for what the store cannot take yet (default: a state folder)");
  command->add_option("--outbox-limit", arguments->outbox_limit, "its largest size")->capture_default_str();
  command
      ->add_option("--ack", arguments->ack, "what the source's WAIT counts: what is durable here, or what was received")
      ->check(CLI::IsMember({"durable", "received"}))
      ->capture_default_str();
  command->add_option("--seal-interval", arguments->seal_interval,
                      "age at which an entry is written (default: 100ms, S3: 1s)");
  command->add_option("--pack-age", arguments->pack_age, "how much time one pack holds")->capture_default_str();
  command->add_option("--base-every", arguments->base_every, "a new base at least this often")->capture_default_str();
  command
      ->add_option("--base-from", arguments->base_from,
                   "who makes later bases: a scratch redis-server here, the source itself (it forks), nobody")
      ->check(CLI::IsMember({"scratch", "source", "never"}))
      ->capture_default_str();
  command->add_option("--replay-limit", arguments->replay_limit, "a base sooner when replaying would take longer")
      ->capture_default_str();
  command->add_option("--drain-timeout", arguments->drain_timeout, "at SIGTERM: how long to wait for the store")
      ->capture_default_str();
  command->add_option("--metrics", arguments->metrics, "HOST:PORT for Prometheus, e.g. 127.0.0.1:9121");
  command
      ->add_option("--redis-server", arguments->redis_server,
                   "for later bases from scratch: of the source's kind and version, which has to load them")
      ->capture_default_str();
  command->add_option("--work-dir", arguments->work_directory, "for the scratch server's files")->capture_default_str();
  command->footer("Example: anclora capture --source redis://10.0.0.7:6379 --repo s3://backups/redis");
  command->callback([&context, arguments] {
    context.action = [&context, arguments] { return run_capture_command(context, *arguments); };
  });
}

}  // namespace anclora::app

#include "app/cli/command_line.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <thread>
#include <vector>

#include "app/cli/command_context.h"
#include "app/cli/error_report.h"
#include "app/version.h"
#include "base/output_buffer.h"

namespace anclora::app {
namespace {

// Signals within this time are one request to stop.
constexpr std::chrono::seconds kOneRequest{1};

// SIGINT, SIGTERM and SIGHUP are taken by a thread that waits for them, so that what they start is ordinary code.
void take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  // The terminal is gone. Under nohup it is ignored, and stays so.
  if (struct sigaction hangup{}; ::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_DFL)
    sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by every thread that is started later
  std::signal(SIGPIPE, SIG_IGN);
  std::thread([signals] {
    std::chrono::steady_clock::time_point first;
    for (int number = 0; sigwait(&signals, &number) == 0;) {
      const auto now = std::chrono::steady_clock::now();
      if (!stop_requested()) first = now;
      // Asked twice: the person means it. But `timeout` tells the process and at once its group, which it is in; and of
      // a terminal that is gone the shell and the system tell both.
      if (stop_requested() && number != SIGHUP && now - first > kOneRequest) std::_Exit(128 + number);
      stop_source().request_stop();
    }
  }).detach();
}

void add_global_options(CLI::App& app, GlobalOptions& options) {
  app.add_option("--repo", options.repo, "the repository: a path, file:///path or s3://bucket/prefix")
      ->envname("ANCLORA_REPO")
      ->group("Repository");
  app.add_option("--passphrase-file", options.passphrase_file, "a file whose first line is the passphrase")
      ->envname("ANCLORA_PASSPHRASE_FILE")
      ->group("Repository");
  app.add_option("--recovery-key-file", options.recovery_key_file, "a file with the recovery key that init printed")
      ->group("Repository");
  app.add_option("--s3-endpoint", options.s3_endpoint, "https://host:port of an S3 service other than AWS")
      ->group("Repository");
  app.add_option("--s3-region", options.s3_region, "region (default: AWS_REGION or the profile's)")
      ->group("Repository");
  app.add_option("--s3-ca-file", options.s3_ca_file, "PEM file with the endpoint's certificate authority")
      ->group("Repository");
  app.add_flag("--s3-path-style", options.s3_path_style, "bucket in the path instead of in the host name")
      ->group("Repository");
  app.add_flag("--json", options.json, "print JSON with stable field names")->group("Output");
}

void add_commands(CLI::App& app, CommandContext& context) {
  add_doctor_command(app, context);
  add_init_command(app, context);
  add_key_command(app, context);
  add_capture_command(app, context);
  add_status_command(app, context);
  add_history_command(app, context);
  add_tag_command(app, context);
  add_find_command(app, context);
  add_restore_command(app, context);
  add_bisect_command(app, context);
  add_verify_command(app, context);
  add_expire_command(app, context);
  add_mirror_command(app, context);
  add_rdb_command(app, context);
  add_plan_command(app, context);
  add_run_command(app, context);
  add_drill_command(app, context);
  add_detect_command(app, context);
  add_serve_command(app, context);
  add_incident_command(app, context);
}

// Before the options are read: a command line that cannot be read must not decide how that is told.
bool asks_for_json(int argc, char** argv) {
  const std::vector<std::string_view> words(argv, argv + argc);
  const auto end = std::ranges::find(words, "--");
  return std::find(words.begin(), end, "--json") != end;
}

Error wrong_command_line(const CLI::App& app, const CLI::ParseError& error) {
  const auto commands = app.get_subcommands();
  if (commands.empty() && !app.remaining().empty() && !app.remaining().front().starts_with('-'))
    return Error(ErrorKind::kInvalidArgument, "there is no command \"" + app.remaining().front() + "\"",
                 "see the commands: anclora --help");
  if (commands.empty()) return Error(ErrorKind::kInvalidArgument, error.what(), "see the commands: anclora --help");
  std::string words = "anclora";
  for (auto inner = commands; !inner.empty(); inner = inner.front()->get_subcommands())
    words += " " + inner.front()->get_name();
  return Error(ErrorKind::kInvalidArgument, error.what(), "see what it takes: " + words + " --help");
}

// std::cout and std::cerr print through buffers of ours while this lives.
class StandardOutput {
 public:
  StandardOutput() : former_out_(std::cout.rdbuf(&out_)), former_err_(std::cerr.rdbuf(&err_)) {}
  ~StandardOutput() {
    std::cout.rdbuf(former_out_);
    std::cerr.rdbuf(former_err_);
  }
  // What is printed on standard output is JSON where `json`, which a program reads.
  void printable_unless(bool json) {
    if (json) out_.print_exactly();
  }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

 private:
  OutputBuffer out_{STDOUT_FILENO, "standard output",
                    ::isatty(STDOUT_FILENO) == 1 ? OutputBuffer::When::kAtOnce : OutputBuffer::When::kAtFlush};
  OutputBuffer err_{STDERR_FILENO, "standard error", OutputBuffer::When::kAtOnce};
  std::streambuf* former_out_;
  std::streambuf* former_err_;
};

}  // namespace

int run_command_line(int argc, char** argv) {
  hold_standard_descriptors();
  take_signals();
  CLI::App app{"Anclora DR: every write of a Redis durable elsewhere, recovery to any command"};
  app.set_version_flag("--version", std::string("anclora ") + kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer("Start with: anclora doctor redis://HOST:6379\nEach command: anclora COMMAND --help");
  StandardOutput output;
  CommandContext context{std::cout,
                         std::cerr,
                         system_clock(),
                         system_random(),
                         posix_file_system(),
                         system_dialer(),
                         [](const std::string& name) -> std::optional<std::string> {
                           const char* value = std::getenv(name.c_str());
                           return value == nullptr ? std::nullopt : std::optional<std::string>(value);
                         },
                         {},
                         {}};
  add_global_options(app, context.options);
  add_commands(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)  // prints help or version
      return end_of_output(context, app.exit(error, context.out, context.err));
    context.options.json = asks_for_json(argc, argv);
    output.printable_unless(context.options.json);
    return end_of_output(context, print_failure(context, wrong_command_line(app, error)));
  }
  output.printable_unless(context.options.json);
  const Result<int> outcome = context.action();
  return end_of_output(context, outcome ? *outcome : print_failure(context, outcome.error()));
}

}  // namespace anclora::app

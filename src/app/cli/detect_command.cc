#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/bounded_option.h"
#include "app/cli/command_context.h"
#include "app/cli/drill_site.h"
#include "app/cli/json_text.h"
#include "app/cli/run_site.h"
#include "app/daemon/plan_watch.h"
#include "app/daemon/reading_reporter.h"
#include "app/view/watch_report.h"
#include "base/secret_file.h"

namespace anclora::app {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);

struct Arguments {
  std::string plan, environment, site, length, report_to, token_file, report_ca_file;
  bool once = false;
};

// Prints from the judging thread, while the command's own thread sleeps.
class Printer {
 public:
  Printer(std::ostream& out, bool json) : out_(out), json_(json) {}
  void verdict(const respond::RuleVerdict& verdict) {
    const std::lock_guard lock(mutex_);
    if (json_) return;
    out_ << to_text(verdict) << "\n" << std::flush;
  }
  void probe(const respond::ProbeView& probe) {
    const std::lock_guard lock(mutex_);
    if (!json_) out_ << to_text(probe) << "\n" << std::flush;
  }

 private:
  std::mutex mutex_;
  std::ostream& out_;
  const bool json_;
};

int finish(CommandContext& context, const respond::Watcher& watcher, bool judged) {
  const auto probes = watcher.probes();
  const auto verdicts = watcher.verdicts();
  if (context.options.json) {
    nlohmann::ordered_json json = {{"isolated", judged && watcher.isolated()},
                                   {"probes", nlohmann::ordered_json::array()},
                                   {"verdicts", nlohmann::ordered_json::array()}};
    for (const auto& probe : probes) json["probes"].push_back(to_json(probe));
    for (const auto& verdict : verdicts)
      if (judged) json["verdicts"].push_back(to_json(verdict));
    context.out << json_text(json);
  }
  // A look alone confirms nothing: what it saw is the finding then.
  const bool found =
      judged
          ? std::ranges::any_of(verdicts, [](const auto& each) { return each.state == respond::RuleState::kConfirmed; })
          : std::ranges::any_of(
                probes, [](const auto& each) { return each.last && each.last->state == respond::ProbeState::kDown; });
  return found ? 1 : 0;
}

Result<std::optional<ReadingReporter>> reporter_of(const CommandContext& context, const Arguments& arguments) {
  if (arguments.report_to.empty()) return std::optional<ReadingReporter>();
  if (arguments.token_file.empty())
    return Error(ErrorKind::kInvalidArgument, "--report-to needs the token of that serve", "give --token-file FILE");
  ASSIGN_OR_RETURN(Secret token, read_secret_file(context.files, arguments.token_file));
  ASSIGN_OR_RETURN(
      ReadingReporter reporter,
      ReadingReporter::create({arguments.report_to, arguments.report_ca_file, std::move(token)}, context.clock));
  return std::optional(std::move(reporter));
}

Result<int> run_detect(CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ReadPlan read, read_plan_file(context, arguments.plan));
  const plan::Plan& plan = read.plan;
  RETURN_IF_ERROR(check_place(plan, arguments.environment, arguments.site));
  std::optional<Duration> length;
  if (!arguments.length.empty()) {
    ASSIGN_OR_RETURN(
        length, duration_option("--for", arguments.length, std::chrono::milliseconds(1), std::chrono::hours(8784)));
  }
  ASSIGN_OR_RETURN(std::optional<ReadingReporter> reporter, reporter_of(context, arguments));
  Printer printer(context.out, context.options.json);
  const auto watcher =
      make_watcher({probe_means(context), context.clock, context.environment}, plan, arguments.environment,
                   arguments.site, [&printer](const respond::RuleVerdict& verdict) { printer.verdict(verdict); });
  watcher->look_once();
  for (const respond::ProbeView& probe : watcher->probes()) printer.probe(probe);
  for (const std::string& line : blind_spots(plan, arguments.site, watcher->probes()))
    context.err << "note: " << line << "\n";
  if (reporter) reporter->send_new(watcher->probes(), context.err);
  if (arguments.once) return finish(context, *watcher, false);
  watcher->start();
  const MonoTime begun = context.clock.mono_now();
  while (!stop_requested() && (!length || context.clock.mono_now() - begun < *length)) {
    context.clock.sleep_for(kTick);
    if (reporter) reporter->send_new(watcher->probes(), context.err);
  }
  watcher->stop();
  return finish(context, *watcher, true);
}

}  // namespace

void add_detect_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "detect", "look at what the plan watches: probes and verdicts; changes nothing but the beacon");
  command->add_option("--plan", arguments->plan, "the plan file")->required();
  command->add_option("--on", arguments->environment, "an environment of the plan (default: what its targets say)");
  command->add_option("--site", arguments->site,
                      "the vantage point that this machine is (default: each probe's first)");
  CLI::Option* once = command->add_flag("--once", arguments->once, "one look at each probe, no verdicts");
  command->add_option("--for", arguments->length, "watch for so long (default: until stopped)")->excludes(once);
  command->add_option("--report-to", arguments->report_to,
                      "tell each look to the serve at this URL, which counts vantage points");
  command->add_option("--token-file", arguments->token_file, "that serve's token: the first line is sent");
  command->add_option("--report-ca-file", arguments->report_ca_file, "who signed its certificate, in PEM");
  command->footer(
      "Example: anclora detect --plan plan.yaml --for 60s\n"
      "Example: anclora detect --plan plan.yaml --site madrid --report-to https://dr.example:7373 --token-file token");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_detect(context, *arguments); }; });
}

}  // namespace anclora::app

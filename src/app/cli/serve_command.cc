#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "app/cli/bounded_option.h"
#include "app/cli/command_context.h"
#include "app/daemon/serve.h"
#include "app/server/api_server.h"
#include "base/secret_file.h"
#include "redis/client/redis_url.h"

namespace anclora::app {
namespace {

constexpr std::uint64_t kLargestTokenFile = 64 * kKiB;

struct Arguments {
  std::string plan, site, state, listen = "127.0.0.1:7373", token_file, alert_secret_file;
  std::vector<std::string> hosts;
  std::string jobs_after = "60s";
  bool no_capture = false, no_drills = false;
};

Result<std::optional<Endpoint>> address_of(const std::string& text) {
  if (text == "none") return std::optional<Endpoint>();
  if (text.rfind(':') == std::string::npos)
    return Error(ErrorKind::kInvalidArgument, "--listen " + text + " has no port",
                 "write HOST:PORT, such as 127.0.0.1:7373, or none");
  // A port of 0 is no port for a Redis, and here any free one.
  const bool any = text.ends_with(":0");
  ASSIGN_OR_RETURN(const redis::RedisUrl address, redis::RedisUrl::parse("redis://" + (any ? text + "7373" : text)));
  Endpoint endpoint = address.endpoint;
  if (any) endpoint.port = 0;
  return std::optional(endpoint);
}

Result<ServeOptions> options_of(const CommandContext& context, const Arguments& arguments) {
  ServeOptions options;
  options.plan_file = arguments.plan;
  options.site = arguments.site;
  options.capture = !arguments.no_capture;
  options.drills = !arguments.no_drills;
  ASSIGN_OR_RETURN(options.jobs_after, duration_option("--jobs-after", arguments.jobs_after,
                                                       std::chrono::milliseconds(1), std::chrono::hours(168)));
  ASSIGN_OR_RETURN(options.listen, address_of(arguments.listen));
  if (!arguments.token_file.empty()) {
    ASSIGN_OR_RETURN(const std::string path, context.files.resolve(arguments.token_file));
    ASSIGN_OR_RETURN(const Bytes text, context.files.read_all(path, kLargestTokenFile));
    ASSIGN_OR_RETURN(options.rules.tokens, parse_tokens(text));
  }
  if (!arguments.alert_secret_file.empty()) {
    ASSIGN_OR_RETURN(options.rules.alert_secret, read_secret_file(context.files, arguments.alert_secret_file));
  }
  if (!options.listen) return options;
  options.rules.metrics_are_open = is_loopback(options.listen->host);
  if (!options.rules.metrics_are_open && options.rules.tokens.empty())
    return Error(ErrorKind::kInvalidArgument,
                 "--listen " + arguments.listen + " is open to others and there is no token",
                 "give --token-file FILE, or listen on 127.0.0.1");
  options.rules.known_hosts = arguments.hosts;
  options.rules.known_hosts.push_back(options.listen->host);
  if (options.rules.metrics_are_open)
    options.rules.known_hosts.insert(options.rules.known_hosts.end(), {"localhost", "127.0.0.1", "[::1]"});
  for (std::string& host : options.rules.known_hosts)
    std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return options;
}

Result<int> run_serve(CommandContext& context, const Arguments& arguments) {
  // Everything that this process and its children keep is found by this variable.
  if (!arguments.state.empty()) ::setenv("ANCLORA_STATE_DIR", arguments.state.c_str(), 1);
  ASSIGN_OR_RETURN(const ServeOptions options, options_of(context, arguments));
  return serve(context, options);
}

}  // namespace

void add_serve_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "serve", "keep a plan unattended: capture, retention, detection, incidents, escalation, runs, drills");
  command->add_option("--plan", arguments->plan, "the plan file")->required();
  command->add_option("--state", arguments->state, "the folder of all that is kept here (default: the state folder)");
  command->add_option("--site", arguments->site,
                      "the vantage point that this machine is (default: each probe's first)");
  command->add_option("--listen", arguments->listen, "HOST:PORT of the API and /metrics, or none")
      ->capture_default_str();
  command->add_option("--token-file", arguments->token_file, "the API's tokens, a line each: TOKEN or CONTACT:TOKEN");
  command->add_option("--alert-secret-file", arguments->alert_secret_file, "what senders of /alerts must know");
  command->add_option("--allow-host", arguments->hosts, "another host name by which the API is asked");
  command->add_option("--jobs-after", arguments->jobs_after, "time before the first expire, verify or drill")
      ->capture_default_str();
  command->add_flag("--no-capture", arguments->no_capture, "others capture, expire and verify");
  command->add_flag("--no-drills", arguments->no_drills, "drills are begun by people only");
  command->footer("Example: anclora serve --plan plan.yaml --token-file /etc/anclora/tokens");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_serve(context, *arguments); }; });
}

}  // namespace anclora::app

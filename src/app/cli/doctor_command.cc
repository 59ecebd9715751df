#include <CLI/CLI.hpp>
#include <ostream>

#include "app/cli/command_context.h"
#include "app/cli/redis_url_option.h"
#include "app/doctor/doctor_report.h"

namespace anclora::app {
namespace {

Result<int> run_doctor(const CommandContext& context, const RedisUrlOption& option) {
  ASSIGN_OR_RETURN(const redis::RedisUrl url, option.parse(context));
  ASSIGN_OR_RETURN(const DoctorReport report, examine_server(url, context.dialer, context.clock));
  context.out << (context.options.json ? to_json(report) : to_text(report)) << "\n";
  return report.exit_code();
}

}  // namespace

void add_doctor_command(CLI::App& app, CommandContext& context) {
  auto option = std::make_shared<RedisUrlOption>();
  CLI::App* command = app.add_subcommand("doctor", "can this Redis be protected, and how well? Changes nothing");
  command->add_option("url", option->url, "redis://[user[:password]@]host[:port], rediss://... or unix:///path")
      ->required();
  option->add_to(*command, "");
  command->footer("Example: anclora doctor redis://10.0.0.7:6379 --password-file /etc/anclora/redis-password");
  command->callback(
      [&context, option] { context.action = [&context, option] { return run_doctor(context, *option); }; });
}

}  // namespace anclora::app

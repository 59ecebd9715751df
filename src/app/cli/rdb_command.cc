#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command_context.h"
#include "app/cli/error_report.h"
#include "app/cli/json_text.h"
#include "redis/file_byte_source.h"
#include "redis/rdb/rdb_check.h"

namespace anclora::app {
namespace {

nlohmann::ordered_json report_json(const redis::RdbReport& report) {
  nlohmann::ordered_json databases = nlohmann::ordered_json::array();
  for (const auto& [number, count] : report.databases)
    databases.push_back({{"database", number},
                         {"keys", count.keys},
                         {"expires", count.expires},
                         {"already_expired", count.already_expired}});
  nlohmann::ordered_json json = {{"ok", !report.problem.has_value()},      {"size_bytes", report.size_bytes},
                                 {"checksum", to_string(report.checksum)}, {"keys", report.keys()},
                                 {"databases", std::move(databases)},      {"types", report.keys_by_type},
                                 {"functions", report.functions}};
  if (report.problem) json["problem"] = report.problem->message();
  return json;
}

Result<int> run_check(const CommandContext& context, const std::string& file) {
  ASSIGN_OR_RETURN(auto opened, context.files.open(file));
  redis::FileByteSource source(std::move(opened));
  ASSIGN_OR_RETURN(const redis::RdbReport report, redis::check_rdb(source, context.clock.wall_now()));
  if (context.options.json) {
    context.out << json_text(report_json(report));
  } else {
    context.out << fmt::format("{}: {}, {} keys, checksum {}\n", file, format_size(report.size_bytes), report.keys(),
                               to_string(report.checksum));
    for (const auto& [number, count] : report.databases)
      context.out << fmt::format("  db{}: {} keys, {} with a time to live, {} of them past\n", number, count.keys,
                                 count.expires, count.already_expired);
  }
  if (report.problem) return print_error(context, report.problem->with_context(file));
  return 0;
}

}  // namespace

void add_rdb_command(CLI::App& app, CommandContext& context) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("rdb", "RDB tools");
  command->require_subcommand(1);
  command->footer("Example: anclora rdb check /var/lib/redis/dump.rdb");
  CLI::App* check = command->add_subcommand("check", "is this RDB whole, and what is in it?");
  check->add_option("file", *file, "the RDB file")->required();
  check->footer("Example: anclora rdb check /var/lib/redis/dump.rdb");
  check->callback([&context, file] { context.action = [&context, file] { return run_check(context, *file); }; });
}

}  // namespace anclora::app

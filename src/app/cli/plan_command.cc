#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "app/cli/command_context.h"
#include "app/cli/contacts_command.h"
#include "app/cli/drill_site.h"
#include "plan/document/plan_document.h"
#include "plan/import/import_paper.h"
#include "plan/read_plan.h"
#include "plan/schema/json_schema.h"

namespace anclora::app {
namespace {

// A little more than a plan may have, so that the reader can say that it is too large.
constexpr std::uint64_t kReadLimit = 16 * kMiB;

Result<Bytes> read_file(const CommandContext& context, const std::string& file) {
  ASSIGN_OR_RETURN(const std::string path, context.files.resolve(file));
  return context.files.read_all(path, kReadLimit);
}

// What drills of this service on this machine came to. Nothing where none was ever run here: they may be run elsewhere.
std::optional<std::vector<plan::DrillResult>> drill_results(const CommandContext& context, const std::string& service) {
  auto ledger = respond::read_drills(context.files, drills_folder(context));
  if (!ledger) {
    context.err << "warning: the drills' records cannot be read: " << ledger.error().message() << "\n";
    return std::nullopt;
  }
  for (const std::string& damage : ledger->damage) context.err << "warning: drills: " << damage << "\n";
  const bool rehearsed = std::ranges::count(ledger->records, service, &respond::DrillRecord::service) > 0;
  if (!rehearsed) return std::nullopt;
  // A restore that was rehearsed without a plan proves the same.
  std::erase_if(ledger->records, [&](const respond::DrillRecord& record) {
    return record.service != service && !(record.service.empty() && record.scenario == "restore");
  });
  return respond::to_results(ledger->records);
}

std::string summary(const plan::CheckedPlan& checked) {
  const auto errors = std::ranges::count(checked.findings, plan::Severity::kError, &plan::Finding::severity);
  const auto unavailable = std::ranges::count(checked.findings, "action.unavailable", &plan::Finding::code);
  const auto warnings = std::ssize(checked.findings) - errors - unavailable;
  std::string text = fmt::format("{} errors, {} warnings", errors, warnings);
  if (unavailable > 0) text += fmt::format(", {} steps that this version does not execute", unavailable);
  return text;
}

Result<int> run_check(const CommandContext& context, const std::string& file) {
  ASSIGN_OR_RETURN(const Bytes bytes, read_file(context, file));
  plan::CheckOptions options{.now = context.clock.wall_now(), .drills = std::nullopt};
  plan::CheckedPlan checked = plan::check_plan(file, bytes, options);
  if (checked.plan) options.drills = drill_results(context, checked.plan->service);
  if (options.drills) checked = plan::check_plan(file, bytes, options);
  if (context.options.json) {
    context.out << plan::to_json_array(file, checked.findings) << "\n";
  } else {
    for (const plan::Finding& finding : checked.findings) context.out << plan::to_text(file, finding) << "\n";
    context.out << file << ": " << summary(checked) << "\n";
  }
  return plan::has_errors(checked.findings) ? 1 : 0;
}

Result<int> run_show(const CommandContext& context, const std::string& file, const std::string& format) {
  ASSIGN_OR_RETURN(const Bytes bytes, read_file(context, file));
  ASSIGN_OR_RETURN(const plan::Plan shown, plan::read_plan(file, bytes));
  const std::vector<plan::DrillResult> drills =
      drill_results(context, shown.service).value_or(std::vector<plan::DrillResult>());
  if (context.options.json || format == "json")
    context.out << plan::to_json(shown, drills) << "\n";
  else
    context.out << (format == "html" ? plan::to_html(shown, drills) : plan::to_markdown(shown, drills));
  return 0;
}

// The draft on standard output, what is wrong with the paper on standard error, one JSON object a line.
Result<int> run_import(const CommandContext& context, const std::string& file) {
  ASSIGN_OR_RETURN(const Bytes bytes, read_file(context, file));
  // Characters of any old encoding are the importer's to judge; these bytes are in no text.
  if (bytes.find('\0') != Bytes::npos)
    return Error(ErrorKind::kInvalidArgument, file + " is no text",
                 "name the paper plan's Markdown; of a PDF or a Word file, save it as Markdown first");
  const plan::ImportedPaper imported = plan::import_paper(bytes);
  for (const plan::Finding& fault : imported.faults) context.err << plan::to_json_line(file, fault) << "\n";
  context.out << imported.draft;
  return 0;
}

}  // namespace

void add_plan_command(CLI::App& app, CommandContext& context) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("plan", "the recovery plan: check it, show it, import it");
  command->require_subcommand(1);
  command->footer("Example: anclora plan check plans/anclora.yaml");
  CLI::App* check = command->add_subcommand("check", "proves the plan on paper; changes nothing");
  check->add_option("file", *file, "the plan file")->required();
  check->footer("Example: anclora plan check plans/anclora.yaml\nExit code: 1 with errors, 0 with warnings or none");
  check->callback([&context, file] { context.action = [&context, file] { return run_check(context, *file); }; });
  auto format = std::make_shared<std::string>("markdown");
  CLI::App* schema = command->add_subcommand("schema", "the plan file's JSON Schema, for editors");
  schema->footer("Example: anclora plan schema > plan.schema.json");
  schema->callback([&context] {
    context.action = [&context]() -> Result<int> {
      context.out << plan::json_schema();
      return 0;
    };
  });
  CLI::App* show = command->add_subcommand("show", "the plan as a document, with what drills measured");
  show->add_option("file", *file, "the plan file")->required();
  show->add_option("--format", *format, "markdown, html or json")->check(CLI::IsMember({"markdown", "html", "json"}));
  show->footer("Example: anclora plan show plans/anclora.yaml --format html > plan.html");
  show->callback([&context, file, format] {
    context.action = [&context, file, format] { return run_show(context, *file, *format); };
  });
  add_test_contacts(*command, context);
  CLI::App* import = command->add_subcommand("import", "a paper plan in Markdown to a draft, and its faults");
  import->add_option("file", *file, "the Markdown document")->required();
  import->footer("Example: anclora plan import disaster-recovery-plan.md > plan.yaml 2> faults.jsonl");
  import->callback([&context, file] { context.action = [&context, file] { return run_import(context, *file); }; });
}

}  // namespace anclora::app

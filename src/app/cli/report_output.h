// What the commands that report share: format, language and where to, and writing it there.
#pragma once

#include <string>

#include "app/cli/command_context.h"
#include "respond/report/report_facts.h"

namespace anclora::app {

struct ReportOptions {
  std::string format;  // md, html, pdf, json; empty: by the ending of `out`, else md (json with --json)
  std::string language = "en";
  std::string out;  // a file; empty: standard output
  bool force = false;
};

// --format, --language, --out, --force. `options` outlives the parsing.
void add_report_options(CLI::App& command, ReportOptions& options);

// Renders the facts and prints them or writes the file, whole or not at all, and says where it lies.
// kAlreadyExists unless --force; kInvalidArgument for a PDF without a file.
Result<int> deliver_report(CommandContext& context, respond::ReportFacts facts, const ReportOptions& options);

}  // namespace anclora::app

#include "app/cli/report_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/json_text.h"
#include "app/version.h"
#include "base/write_file.h"
#include "respond/report/render_report.h"
#include "respond/report/report_pdf.h"

namespace anclora::app {
namespace {

// The folder of `path` with every link followed, and the name in it: what a child process and a person both find.
Result<std::string> absolute_path(FileSystem& files, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..")
    return Error(ErrorKind::kInvalidArgument, path + " is no file's name", "--out FILE, as in --out report.html");
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  ASSIGN_OR_RETURN(const std::string resolved, files.resolve(folder));
  return resolved == "/" ? "/" + name : resolved + "/" + name;
}

Result<std::string> choose_format(const CommandContext& context, const ReportOptions& options) {
  if (!options.format.empty()) {
    if (options.format != "json" && context.options.json && options.out.empty())
      return Error(ErrorKind::kInvalidArgument, "--json and --format " + options.format + " both want standard output",
                   "leave one out, or write the report to a file: --out FILE");
    if (options.format == "pdf" && options.out.empty())
      return Error(ErrorKind::kInvalidArgument, "a PDF is written to a file", "--out FILE, as in --out report.pdf");
    return options.format;
  }
  for (const char* known : {"md", "html", "pdf", "json"})
    if (options.out.ends_with(std::string(".") + known)) return std::string(known);
  return std::string(context.options.json && options.out.empty() ? "json" : "md");
}

// Under its own name only when it is whole.
Status publish(FileSystem& files, const std::string& part, const std::string& path, bool force) {
  if (force) {
    RETURN_IF_ERROR(files.rename(part, path));
    return files.sync_directory(parent_folder(path));
  }
  const Status linked = files.link(part, path);
  (void)files.remove(part);
  if (!linked && linked.error().kind() == ErrorKind::kAlreadyExists)
    return Error(ErrorKind::kAlreadyExists, path + " is there already", "another name, or --force to replace it");
  if (!linked) return linked;
  return files.sync_directory(parent_folder(path));
}

}  // namespace

void add_report_options(CLI::App& command, ReportOptions& options) {
  command.add_option("--format", options.format, "md, html, pdf or json (default: by the ending of --out, else md)")
      ->check(CLI::IsMember({"md", "html", "pdf", "json"}));
  command.add_option("--language", options.language, "en or es")->check(CLI::IsMember({"en", "es"}));
  command.add_option("--out", options.out, "the file to write (default: standard output)");
  command.add_flag("--force", options.force, "replace the file when it is there");
}

Result<int> deliver_report(CommandContext& context, respond::ReportFacts facts, const ReportOptions& options) {
  facts.version = kVersion;
  ASSIGN_OR_RETURN(const std::string format, choose_format(context, options));
  ASSIGN_OR_RETURN(const respond::Language language, respond::parse_language(options.language));
  const bool pdf = format == "pdf";
  ASSIGN_OR_RETURN(const respond::ReportFormat rendered, respond::parse_report_format(pdf ? "html" : format));
  if (options.out.empty()) {
    context.out << respond::render_report(facts, rendered, language);
    return 0;
  }
  FileSystem& files = context.files;
  ASSIGN_OR_RETURN(const std::string path, absolute_path(files, options.out));
  if (!options.force && files.stat(path))
    return Error(ErrorKind::kAlreadyExists, path + " is there already", "another name, or --force to replace it");
  const Bytes bytes = respond::render_report(facts, rendered, language);
  const std::string part = fmt::format("{}.{}.part", path, ::getpid());
  const Status written =
      pdf ? respond::write_pdf(files, bytes, part, {.search_path = context.environment("PATH").value_or("")})
          : write_file(files, part, bytes);
  if (!written) {
    (void)files.remove(part);
    return written.error();
  }
  RETURN_IF_ERROR(publish(files, part, path, options.force));
  if (context.options.json)
    context.out << json_text(
        nlohmann::ordered_json{{"report", path}, {"format", format}, {"language", options.language}});
  else
    context.out << "the report lies in " << path << "\n";
  return 0;
}

}  // namespace anclora::app

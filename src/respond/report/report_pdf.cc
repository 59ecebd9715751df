#include "respond/report/report_pdf.h"

#include <fmt/format.h>

#include "base/subprocess.h"
#include "respond/report/harmless_text.h"

namespace anclora::respond {
namespace {

// An address at which nobody listens: a request that a page should not make anyway goes nowhere.
constexpr const char* kNoProxy = "http://127.0.0.1:9";

SubprocessOptions options_for(const Bytes& html, const std::string& path, const PdfConverter& converter) {
  SubprocessOptions options;
  options.argv = {converter.program, "--encoding", "utf-8", "-", path};
  options.output_file = path + ".log";
  options.environment = {"LANG=C.UTF-8", "HOME=/nonexistent", fmt::format("http_proxy={}", kNoProxy),
                         fmt::format("https_proxy={}", kNoProxy)};
  if (!converter.search_path.empty()) options.environment.push_back("PATH=" + converter.search_path);
  options.only_this_environment = true;
  options.input = html;
  return options;
}

std::string last_line(FileSystem& files, const std::string& path) {
  const auto log = files.read_all(path);
  if (!log) return "";
  std::string text = *log;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return plain_text(text.substr(text.rfind('\n') + 1), "cut:", 300);
}

Status convert(FileSystem& files, const Bytes& html, const std::string& path, const PdfConverter& converter) {
  const auto child = Subprocess::start(options_for(html, path, converter));
  if (!child && child.error().kind() == ErrorKind::kNotFound)
    return Error(ErrorKind::kFailedPrecondition, fmt::format("{} is missing, which makes PDF", converter.program),
                 "apt-get install weasyprint; or take --format html and print it from a browser");
  if (!child) return child.error();
  const auto code = (*child)->wait(converter.time_limit);
  if (!code)
    return Error(ErrorKind::kDeadlineExceeded,
                 fmt::format("{} was not done within {}", converter.program, format_duration(converter.time_limit)),
                 "take --format html and print it from a browser");
  if (*code != 0 || !files.stat(path))
    return Error(ErrorKind::kInternal,
                 fmt::format("{} ended with {}: {}", converter.program, *code, last_line(files, path + ".log")),
                 "take --format html and print it from a browser");
  return {};
}

}  // namespace

Status write_pdf(FileSystem& files, const Bytes& html, const std::string& path, const PdfConverter& converter) {
  const Status done = convert(files, html, path, converter);
  (void)files.remove(path + ".log");
  if (!done) (void)files.remove(path);
  return done;
}

}  // namespace anclora::respond

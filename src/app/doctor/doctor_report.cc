#include "app/doctor/doctor_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace anclora::app {
namespace {

std::string_view verdict(const DoctorReport& report) {
  switch (report.worst()) {
    case Severity::kError:
      return "not protectable";
    case Severity::kWarning:
      return "mend";
    default:
      return "ready";
  }
}

std::size_t count(const DoctorReport& report, Severity severity) {
  return static_cast<std::size_t>(
      std::ranges::count_if(report.findings, [severity](const Finding& f) { return f.severity == severity; }));
}

std::string closing(const DoctorReport& report) {
  switch (report.worst()) {
    case Severity::kError:
      return fmt::format("This Redis cannot be protected as it is: {} to mend first.\n",
                         count(report, Severity::kError));
    case Severity::kWarning:
      return fmt::format("This Redis can be protected; {} should be mended.\nNext: anclora capture --source {}\n",
                         count(report, Severity::kWarning) == 1
                             ? "one thing"
                             : fmt::format("{} things", count(report, Severity::kWarning)),
                         report.facts.url);
    default:
      return fmt::format("This Redis can be protected.\nNext: anclora capture --source {}\n", report.facts.url);
  }
}

std::string headline(const ServerFacts& facts) {
  std::uint64_t keys = 0;
  for (const redis::Keyspace& keyspace : facts.info.keyspaces()) keys += keyspace.keys;
  const auto used = facts.info.number("used_memory");
  return fmt::format("{}\n{}, {}, {} keys, {} in memory\n", facts.url, facts.info.product(),
                     facts.info.is_sentinel()  ? "a Sentinel"
                     : facts.info.is_replica() ? "replica"
                                               : "primary",
                     keys, used ? format_size(static_cast<std::uint64_t>(*used)) : "?");
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return "ok";
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

Severity DoctorReport::worst() const {
  Severity worst = Severity::kOk;
  for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

int DoctorReport::exit_code() const {
  switch (worst()) {
    case Severity::kError:
      return anclora::exit_code(ErrorKind::kFailedPrecondition);
    case Severity::kWarning:
      return 1;
    default:
      return 0;
  }
}

DoctorReport judge_server(ServerFacts facts) {
  DoctorReport report;
  report.findings = judge_version(facts);
  if (!facts.info.is_sentinel()) {
    for (const auto judge : {judge_access, judge_replication, judge_memory, judge_persistence, judge_topology}) {
      Findings more = judge(facts);
      std::ranges::move(more, std::back_inserter(report.findings));
    }
    report.functions = judge_functions(facts);
  }
  report.facts = std::move(facts);
  return report;
}

Result<DoctorReport> examine_server(const redis::RedisUrl& url, Dialer& dialer, Clock& clock, Duration rate_window) {
  ASSIGN_OR_RETURN(ServerFacts facts, probe_server(url, dialer, clock, rate_window));
  return judge_server(std::move(facts));
}

std::string to_text(const DoctorReport& report) {
  std::string text = headline(report.facts);
  for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNote, Severity::kOk}) {
    if (count(report, severity) > 0) text += "\n";
    for (const Finding& finding : report.findings) {
      if (finding.severity != severity) continue;
      text += fmt::format("{:<8} {}\n", to_string(severity), finding.text);
      for (const std::string& line : finding.mend) text += fmt::format("         > {}\n", line);
    }
  }
  if (!report.functions.empty()) text += "\nWhat works with this server\n";
  for (const FunctionSupport& function : report.functions) {
    text += fmt::format("  {:<3}  {}{}\n", function.works ? "yes" : "no", function.function,
                        function.remark.empty() ? "" : " (" + function.remark + ")");
  }
  return text + "\n" + closing(report);
}

std::string to_json(const DoctorReport& report) {
  nlohmann::ordered_json json;
  json["url"] = report.facts.url;
  json["product"] = report.facts.info.product();
  json["role"] = report.facts.info.is_sentinel() ? "sentinel" : report.facts.info.is_replica() ? "replica" : "primary";
  json["verdict"] = verdict(report);
  json["exit_code"] = report.exit_code();
  json["write_bytes_per_second"] = nullptr;
  if (report.facts.write_rate) {
    json["write_bytes_per_second"] = report.facts.write_rate->bytes_per_second;
    json["write_rate_is_upper_bound"] = report.facts.write_rate->is_upper_bound;
  }
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : report.findings) {
    json["findings"].push_back({{"code", finding.code},
                                {"severity", to_string(finding.severity)},
                                {"text", finding.text},
                                {"mend", finding.mend}});
  }
  json["functions"] = nlohmann::ordered_json::array();
  for (const FunctionSupport& function : report.functions) {
    json["functions"].push_back(
        {{"function", function.function}, {"works", function.works}, {"remark", function.remark}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace anclora::app

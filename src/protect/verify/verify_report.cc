#include "protect/verify/verify_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace anclora::protect {

void VerifyReport::add_bad(std::string object, std::string what, std::string advice) {
  ++bad_count;
  if (bad.size() < kMaxListed) bad.push_back({std::move(object), std::move(what), std::move(advice)});
}

void VerifyReport::add_foreign(std::string name) {
  ++foreign_count;
  if (foreign.size() < kMaxListed) foreign.push_back(std::move(name));
}

void VerifyReport::add_uncounted(std::string name) {
  ++uncounted_count;
  if (uncounted.size() < kMaxListed) uncounted.push_back(std::move(name));
}

std::string to_text(const VerifyReport& report) {
  const VerifyCounts& counts = report.counts;
  std::string text = fmt::format(
      "read {} of {} objects, {}, in {}{}\n  {} sources, {} checkpoints, {} packs, {} log entries, {} bases, {} pins, "
      "{} "
      "key slots\n",
      counts.objects_read, counts.objects_listed, format_size(counts.bytes_read), format_duration(report.took),
      report.percent < 100 ? fmt::format(" (a sample of {} %, seed {})", report.percent, report.seed) : std::string(),
      counts.sources, counts.checkpoints, counts.packs, counts.entries, counts.bases, counts.pins, counts.key_slots);
  for (const BadObject& bad : report.bad) text += fmt::format("BAD {}: {}\n    {}\n", bad.object, bad.what, bad.advice);
  if (report.bad_count > report.bad.size())
    text += fmt::format("... and {} more\n", report.bad_count - report.bad.size());
  for (const std::string& name : report.foreign) text += fmt::format("not ours: {}\n", name);
  if (report.uncounted_count != 0)
    text +=
        fmt::format("{} objects that count for nothing (retired, or left by interrupted work: expire removes them)\n",
                    report.uncounted_count);
  return text + (report.ok() ? "everything that was read is whole\n" : fmt::format("{} faults\n", report.bad_count));
}

std::string to_json(const VerifyReport& report) {
  nlohmann::json bad = nlohmann::json::array();
  for (const BadObject& each : report.bad)
    bad.push_back({{"object", each.object}, {"what", each.what}, {"advice", each.advice}});
  nlohmann::json heads = nlohmann::json::array();
  for (const SeenSource& head : report.heads)
    heads.push_back({{"name", head.name},
                     {"timeline", head.timeline},
                     {"sequence", head.sequence},
                     {"checkpoint", head.checkpoint}});
  const VerifyCounts& counts = report.counts;
  const nlohmann::json json = {
      {"ok", report.ok()},
      {"percent", report.percent},
      {"seed", report.seed},
      {"started", format_rfc3339(report.started)},
      {"seconds", static_cast<double>(report.took.count()) / 1e6},
      {"objects_listed", counts.objects_listed},
      {"objects_read", counts.objects_read},
      {"bytes_read", counts.bytes_read},
      {"sources", counts.sources},
      {"checkpoints", counts.checkpoints},
      {"entries", counts.entries},
      {"packs", counts.packs},
      {"bases", counts.bases},
      {"pins", counts.pins},
      {"key_slots", counts.key_slots},
      {"heads", heads},
      {"key_slot_names", report.key_slots},
      {"bad", bad},
      {"bad_count", report.bad_count},
      {"foreign", report.foreign},
      {"foreign_count", report.foreign_count},
      {"uncounted", report.uncounted},
      {"uncounted_count", report.uncounted_count},
  };
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace anclora::protect

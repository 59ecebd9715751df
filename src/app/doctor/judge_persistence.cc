#include <fmt/format.h>

#include "app/doctor/judges.h"

namespace anclora::app {
namespace {

void judge_status(const ServerFacts& facts, Findings& findings) {
  if (const auto status = facts.info.text("rdb_last_bgsave_status"); status && *status != "ok") {
    findings.push_back({"last-save-failed",
                        Severity::kWarning,
                        "the last background save failed; a disk-backed full sync would fail alike",
                        {"see the server's log; free disk space or memory, then: BGSAVE"}});
  }
  for (const auto& [name, what] : {std::pair{"aof_last_write_status", "the last write to the AOF failed"},
                                   std::pair{"aof_last_bgrewrite_status", "the last rewrite of the AOF failed"}}) {
    if (const auto status = facts.info.text(name); facts.info.flag("aof_enabled") && status && *status != "ok") {
      findings.push_back({"aof-failed", Severity::kWarning, what, {"see the server's log; free disk space"}});
    }
  }
}

// Whether what is set now would survive a restart.
void judge_file(const ServerFacts& facts, bool aof, Findings& findings) {
  const auto file = facts.info.text("config_file");
  if (!file) return;
  if (file->empty()) {
    findings.push_back({"no-configuration-file",
                        Severity::kNote,
                        "the server runs without a configuration file: what CONFIG SET changes is lost at its restart",
                        {"start redis-server with a file, then: CONFIG REWRITE"}});
    return;
  }
  if (!facts.file_config_read) {
    findings.push_back({"configuration-file-unseen",
                        Severity::kNote,
                        fmt::format("whether the settings are written to {} cannot be seen from here", *file),
                        {"CONFIG REWRITE"}});
    return;
  }
  const auto written = facts.file_config.find("appendonly");
  const bool aof_written = written != facts.file_config.end() && written->second == "yes";
  if (aof_written != aof) {
    findings.push_back({"aof-not-written",
                        Severity::kWarning,
                        fmt::format("appendonly is {} now but {} in {}: the next restart {}", aof ? "yes" : "no",
                                    aof_written ? "yes" : "no", *file,
                                    aof ? "ignores the AOF and may start empty" : "reads an AOF that is not current"),
                        {"CONFIG REWRITE"}});
  } else {
    findings.push_back({"configuration-file", Severity::kOk, fmt::format("appendonly is written to {}", *file), {}});
  }
}

}  // namespace

Findings judge_persistence(const ServerFacts& facts) {
  Findings findings;
  const bool aof = facts.info.flag("aof_enabled");
  const auto save = facts.setting("save");
  const bool rdb = save && !save->empty();
  if (!facts.info.text("aof_enabled")) return findings;
  if (aof) {
    findings.push_back({"local-persistence",
                        Severity::kOk,
                        fmt::format("AOF on (fsync {}), RDB saving {}", facts.setting("appendfsync").value_or("?"),
                                    !save ? "unknown"
                                    : rdb ? *save
                                          : "off"),
                        {}});
  } else if (rdb) {
    findings.push_back({"local-persistence",
                        Severity::kOk,
                        fmt::format("AOF off, RDB saving at {}: a crash loses up to that much locally", *save),
                        {}});
  } else if (save) {
    findings.push_back({"local-persistence-off",
                        Severity::kWarning,
                        "AOF and RDB saving are both off: after a crash the server starts empty, and clients write on",
                        {"CONFIG SET appendonly yes", "CONFIG REWRITE"}});
  }
  judge_status(facts, findings);
  judge_file(facts, aof, findings);
  return findings;
}

}  // namespace anclora::app

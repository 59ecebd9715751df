// What a drill came to: what ran, by which plan, where, what it achieved against what was promised, whether it passed.
// One record a drill, each with the hash of the record before it. docs/formats/drill-record.md. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "plan/measurement.h"

namespace anclora::respond {

struct DrillCheck {
  std::string name;  // "offset", "digest", "keys", "separation", ...
  std::string result;
  bool passed = true;
};

struct DrillStep {
  std::string part;  // prepare, inject, recovery, cleanup
  std::string id;
  std::string uses;
  std::string state;  // as in `run status`: done, skipped, failed_paused, ...
  std::optional<Duration> took;
  std::string summary;  // or the problem
};

struct DrillObjectives {
  std::string severity;  // whose RTO; empty: none
  std::optional<Duration> rto, rto_max, rpo;
};

struct DrillAchieved {
  std::optional<Duration> rto;  // detect + decide + act + verify, as far as each was measured
  std::optional<Duration> detect, decide, act, verify;
  std::optional<Duration> rpo;
  std::optional<std::uint64_t> rpo_writes;
  std::string rpo_basis;  // against what: "beacon", "clock", "source", "repository"; empty: not measured
};

struct DrillCleanup {
  bool done = false;
  std::string text;  // what was cleaned, or why it could not be
};

struct DrillRecord {
  std::string id;
  std::string scenario;                  // a scenario's id, or "restore"
  std::string environment;               // of the plan; "scratch" for a restore into a throw-away server
  std::string service;                   // of the plan; empty without one
  std::string plan_file, plan_hash;      // empty without a plan
  std::string starter;                   // a contact's id; may be empty
  std::string runner;                    // "host:pid"
  std::string program;                   // version of anclora
  std::string inject_run, recovery_run;  // ids in <state>/runs; empty where there was none
  WallTime started, ended;
  bool passed = false;
  bool interrupted = false;          // its process ended before it did; recorded when it was cleaned
  std::vector<std::string> reasons;  // why it did not pass; empty when it did
  DrillObjectives objectives;
  DrillAchieved achieved;
  std::vector<DrillCheck> checks;
  std::vector<DrillStep> steps;
  DrillCleanup cleanup;
  std::map<std::string, std::string> facts;  // of a restore: source, position, point_time, keys, digest, ...
  std::uint64_t number = 0;                  // from 1; set when it is kept
};

inline constexpr std::size_t kMaxDrillRecordBytes = 4 * kMiB;
inline constexpr std::size_t kMaxDrillText = 4 * kKiB;  // longer texts are cut, and say so

// One line without its newline. `previous` is the hash of the record before (zeros for the first); `hash` gets its own.
std::string encode_drill_record(const DrillRecord& record, const Hash256& previous, Hash256& hash);

struct DecodedDrill {
  DrillRecord record;
  Hash256 previous{};
  Hash256 hash{};
};
// kDataLoss when it is no record or its hash does not fit its bytes; kUnsupported for a newer version.
Result<DecodedDrill> decode_drill_record(std::string_view line);

// As `plan check` and `plan show` take them.
std::vector<plan::DrillResult> to_results(const std::vector<DrillRecord>& records);

// Adds a reason for each objective that was missed or is not measured; true when there was none. RTO is compared with
// `rto`, RPO with `rpo`.
bool judge_objectives(const DrillObjectives& objectives, const DrillAchieved& achieved,
                      std::vector<std::string>& reasons);

}  // namespace anclora::respond

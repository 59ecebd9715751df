// The typed recovery plan: what `plan check` proves, the runbook engine executes and the report compares with.
// Everything that the user names has an `id` and a place in the file. Pure values: no clock, file or network.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "plan/value.h"

namespace anclora::plan {

// A secret is never in the plan: "env:NAME" or "file:/path" says where it is read when it is needed.
struct Reference {
  std::string text;  // "env:REDIS_URL", "file:/run/secrets/key", or for what is no secret the literal itself
  Place place;
};

struct SeverityObjective {  // RTO
  std::string id;           // critical, high, medium, low
  Duration rto{};
  Duration rto_max{};
  Place place;
};

struct DataObjective {  // RPO
  std::string id;       // queue, analytics, configuration, logs
  Duration rpo{};
  std::string proof;                 // beacon | backup | catalogue
  std::vector<std::string> targets;  // what holds this data
  Place place;
};

struct Site {
  std::string id;
  std::string region;    // "" where it is no cloud region
  bool primary = false;  // the site that normally serves
  Place place;
};

// What the plan acts on. `kind` decides which settings it has (see the target schemas).
struct Target {
  std::string id;
  std::string kind;  // redis | service | configuration | traffic | http | repository | queue | registry | ...
  std::string site;
  std::string standby_of;  // another target of the same kind, "" for none
  Value settings;          // the rest of its keys, judged by the kind's schema
  Place place;
};

// Another set of addresses for the same targets: where a drill runs. A sandbox never names a production address.
struct Environment {
  std::string id;
  bool sandbox = false;
  bool everything = false;      // no target of this plan is production: all of them are the sandbox
  std::vector<Target> targets;  // those that differ; the others keep what the plan says
  Place place;
};

struct Backup {
  std::string id;
  std::string target;      // what it protects
  std::string repository;  // a target of kind repository
  std::string data;        // a DataObjective it serves
  bool continuous = false;
  Duration every{};         // zero when continuous
  Duration lag{};           // what it may trail by
  std::vector<Entry> keep;  // retention: hourly, daily, weekly, ... as `expire --keep-*`
  Place place;
};

struct Probe {
  std::string id;
  std::string uses;  // probe.redis, probe.http, ...
  Value with;
  std::vector<std::string> from;  // vantage points (site ids or agents); empty: here
  bool control = false;           // of something unrelated: tells whether the observer itself is cut off
  Duration every{};
  Duration timeout{};
  std::uint32_t bad_in_a_row = 3;
  std::uint32_t good_in_a_row = 3;
  Place place;
};

enum class ProbeState : std::uint8_t { kUp, kDown, kUnknown };

// One clause of a detection rule: "probe redis is down at 2 of 3 vantage points".
struct Condition {
  std::string probe;
  ProbeState is = ProbeState::kDown;
  std::uint32_t at_least = 1;  // vantage points
  Place place;
};

struct Detection {
  std::string id;
  std::vector<Condition> all;  // all of them, and
  std::vector<Condition> any;  // one of these, when there are any
  Duration for_time{};         // held for this long
  std::string scenario;
  bool start = false;      // false: propose, a person declares
  Duration quiet_after{};  // anti-flap: not zero, after a run it starts nothing until released by a person
  Place place;
};

enum class OnTimeout : std::uint8_t { kEscalate, kProceed, kAbort };

struct Approval {
  std::vector<std::string> roles;
  std::uint32_t need = 1;
  Duration timeout{};
  OnTimeout on_timeout = OnTimeout::kEscalate;
  Place place;
};

struct Step {
  std::string id;
  std::string uses;  // the action's name: redis.restore
  Value with;        // judged by the action's schema
  std::vector<std::string> needs;
  Duration budget{};   // what the RTO on paper counts
  Duration timeout{};  // enforced by the engine
  std::uint32_t retry = 0;
  std::optional<Approval> approve;
  bool undo = true;  // whether `run undo` may undo it
  Place place;
};

struct Scenario {
  std::string id;
  std::string title;
  std::string severity;
  std::string impact;
  std::optional<Approval> declare;
  std::vector<Step> steps;
  std::vector<Step> inject;         // a drill's disaster
  std::vector<Step> prepare;        // of a drill: before the disaster
  std::vector<Step> cleanup;        // of a drill: always, in the end: the sandbox as it was
  std::vector<Condition> restored;  // stops the RTO clock, besides the steps' own verification
  std::vector<Step> after;          // post-recovery work: not in the RTO
  Duration undo_window{};
  Place place;

  // Every list of steps there is, in the order in which a drill comes to them.
  std::array<const std::vector<Step>*, 5> step_lists() const { return {&prepare, &inject, &steps, &after, &cleanup}; }
};

struct DrillSchedule {
  std::string id;
  std::string scenario;  // a Scenario or "restore"
  std::string environment;
  Duration every{};
  std::optional<WallTime> last_passed;  // known from the drill records, not from the file
  Place place;
};

struct Channel {
  std::string kind;  // smtp | webhook | pagerduty | evolution | command
  Value settings;
  std::string depends_on;  // a target: an alarm must not ride on what failed
  Place place;
};

struct Contact {
  std::string id;
  std::string name;
  std::vector<std::string> roles;
  std::vector<Channel> channels;
  Place place;
};

// Who is told when: at a time after declaration, or when the forecast passes the RTO, or when the RTO is passed.
enum class EscalateWhen : std::uint8_t { kAfter, kForecastOverRto, kElapsedOverRto, kElapsedOverRtoMax };

struct EscalationLevel {
  std::string id;
  std::string severity;
  std::vector<std::string> contacts;
  EscalateWhen when = EscalateWhen::kAfter;
  Duration after{};
  Duration acknowledge_within{};
  Place place;
};

struct Plan {
  std::string file;      // as named by the user
  std::string hash_hex;  // hash256 of its bytes: a run is frozen to it, a drill vouches for it
  std::string service;
  std::vector<SeverityObjective> severities;
  std::vector<DataObjective> data;
  std::vector<Site> sites;
  std::vector<Target> targets;
  std::vector<Environment> environments;
  std::vector<Backup> backups;
  std::vector<Probe> probes;
  std::vector<Detection> detections;
  std::vector<Scenario> scenarios;
  std::vector<DrillSchedule> drills;
  std::vector<Contact> contacts;
  std::vector<EscalationLevel> escalation;
};

}  // namespace anclora::plan

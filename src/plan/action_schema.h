// What an action takes and what it means for the plan's proof. The catalogue is data in the plan room, so that a plan
// is checked without anything that could act; respond/actions implements what is `available`, and a test holds the two
// together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anclora::plan {

enum class ParameterType : std::uint8_t {
  kText,
  kInteger,
  kBoolean,
  kDuration,
  kSize,
  kPercent,
  kChoice,     // one of `choices`
  kTarget,     // the id of a target whose kind is in `choices` (any kind when empty)
  kStep,       // the id of an earlier step whose outputs are used
  kProbe,      // the id of a probe
  kContact,    // the id of a contact or a role
  kReference,  // env:NAME, file:/path or a literal
  kTextList,
  kTargetList,
  kContactList,
  kArguments,   // argv: a list of texts, no shell
  kMap,         // a list of {id, ...} judged by `fields`
  kNumber,      // a decimal, also negative
  kObject,      // one map judged by `fields`
  kObjectList,  // a list of maps judged by `fields`, without ids
  kId,          // the id of an item of the section in choices[0]: scenarios, sites, severity, ...
  kIdList,
  kStepList,  // ids of steps of the same list of steps
  kAction,    // the name of an action; with choices: one whose name begins with choices[0]
  kWith,      // a map judged by the action that stands in `uses` beside it
};

// Which further keys a map takes, chosen by one of its own.
enum class Variant : std::uint8_t { kNone, kTarget, kChannel };

struct Parameter {
  std::string name;
  ParameterType type = ParameterType::kText;
  bool required = false;
  std::vector<std::string> choices;
  std::vector<Parameter> fields;  // kMap, kObject, kObjectList
  std::string help;
  bool secret = false;  // kReference: a literal is refused
  Variant variant = Variant::kNone;
};

enum class Plane : std::uint8_t { kNone, kData, kRegionalControl, kGlobalControl };

struct ActionSchema {
  std::string name;  // "redis.restore"
  std::string help;
  std::vector<Parameter> parameters;
  bool available = true;     // false: written in plans and checked, not executed by this version
  bool mutates = true;       // changes something outside
  bool destructive = false;  // needs a recovery point among what it `needs`
  bool idempotent = true;    // may be repeated after an unknown outcome
  bool verifies = false;     // checks that earlier steps achieved their aim (redis.verify, probe.*, queue.canary, ...)
  bool self_verifying = true;  // its own success is a verified probe
  bool undoable = false;
  bool by_person = false;  // it waits for a person: `run done` settles it while it runs
  Plane plane = Plane::kData;
};

// All actions, sorted by name. Thread rule: constant.
const std::vector<ActionSchema>& action_catalogue();
// nullptr when there is none.
const ActionSchema* find_action(std::string_view name);

}  // namespace anclora::plan

// Judges one value that is no map of ours: numbers, durations, choices, references, names of other items.
#pragma once

#include <string>
#include <vector>

#include "plan/action_schema.h"
#include "plan/finding.h"
#include "plan/schema/id_index.h"

namespace anclora::plan {

class ScalarChecker {
 public:
  // Both outlive it.
  ScalarChecker(const IdIndex& index, Findings& findings) : index_(index), findings_(findings) {}

  // Between these two, names of steps mean the items of `steps`.
  void enter_steps(const Value& steps);
  void leave_steps() { steps_.clear(); }

  // `where` is the item that holds it, for the message.
  void check(const Value& value, const Parameter& by, const std::string& where);

 private:
  void check_list(const Value& value, const Parameter& by, const std::string& where);
  void check_text(const Value& value, const Parameter& by, const std::string& where);
  void check_name(const Value& value, const Parameter& by, const std::string& where);
  void check_number(const Value& value, const Parameter& by, const std::string& where);
  void check_action(const Value& value, const Parameter& by);
  void check_target(const Value& value, const Parameter& by);
  void check_probe(const Value& value, const Parameter& by);
  void check_reference(const Value& value, const Parameter& by, const std::string& where);
  void unknown_name(const Value& value, std::string_view word, const std::vector<std::string>& known);
  void wrong(const Value& value, std::string code, const Parameter& by, const std::string& where, std::string_view must,
             std::string hint);

  const IdIndex& index_;
  Findings& findings_;
  std::vector<std::string> steps_;
};

}  // namespace anclora::plan

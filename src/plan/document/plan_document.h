// `plan show`: the plan as a document for people, with what drills measured beside what is promised.
#pragma once

#include <string>
#include <vector>

#include "plan/measurement.h"
#include "plan/plan.h"

namespace anclora::plan {

// "not measured" stands wherever no drill passed, "unverified" wherever none passed with exactly this plan.
std::string to_markdown(const Plan& plan, const std::vector<DrillResult>& drills);
// A whole page without scripts or anything from elsewhere; every text is escaped.
std::string to_html(const Plan& plan, const std::vector<DrillResult>& drills);
// Stable field names, see docs/json.md.
std::string to_json(const Plan& plan, const std::vector<DrillResult>& drills);

// What both documents are written from.
struct Block {
  int heading = 0;  // its level; 0: a paragraph or a table
  std::string text;
  std::vector<std::vector<std::string>> table;  // the first row is the header
};
std::vector<Block> plan_blocks(const Plan& plan, const std::vector<DrillResult>& drills);

}  // namespace anclora::plan

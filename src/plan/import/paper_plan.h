// A paper plan, understood as far as it can be: what import judges and writes a draft from.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/import/paper_document.h"
#include "plan/import/shell_script.h"

namespace anclora::plan {

enum class Topic : std::uint8_t { kOther, kRegion, kRedis, kRegistry, kCorruption, kBreach };

struct PaperObjective {
  std::uint32_t line = 0;
  std::string name;
  std::uint32_t minutes = 0;      // RTO or RPO
  std::uint32_t max_minutes = 0;  // RTO only
  std::string how;                // RPO only: "Every 15 min"
};

// A section with commands.
struct PaperProcedure {
  const PaperSection* section = nullptr;
  ShellScript script;
  bool scenario = false;
  Topic topic = Topic::kOther;
  std::string severity;  // "critical"; "" when it is not said
  std::string impact;
  std::vector<PaperLine> detection;
  std::vector<PaperLine> remarks;  // other text: what is done after it
};

struct PaperContact {
  std::uint32_t line = 0;
  std::string role, name, phone, email, portal;
};

struct PaperLevel {
  std::uint32_t line = 0;
  std::string who;
  std::optional<std::uint32_t> from, to;    // minutes in its label
  std::optional<std::uint32_t> unresolved;  // the minutes said before it
  std::uint32_t unresolved_line = 0;
};

struct PaperDrill {
  std::uint32_t line = 0;
  std::string what;
  std::string every;
};

struct PaperPlan {
  std::vector<PaperSection> sections;
  std::string service;
  std::vector<PaperObjective> recovery_times;
  std::vector<PaperObjective> recovery_points;
  std::vector<PaperProcedure> procedures;
  std::vector<PaperContact> contacts;
  std::vector<PaperLevel> levels;
  std::vector<PaperDrill> drills;
};

PaperPlan understand_paper(std::string_view text);
// "Region failover" -> "region-failover", at most 40 characters; `otherwise` when nothing is left.
std::string slug(std::string_view text, std::string_view otherwise);

}  // namespace anclora::plan

#include "plan/import/import_paper.h"

#include <fmt/format.h>

#include "plan/import/mojibake.h"
#include "plan/import/paper_rules.h"

namespace anclora::plan {
namespace {

void say_what_is_missing(const PaperPlan& paper, Findings& faults) {
  const auto missing = [&](bool is_missing, std::string what, std::string hint) {
    if (is_missing)
      add_warning(faults, "import.not_found", {1, 1}, "not found in this document: " + what, std::move(hint));
  };
  bool scenario = false;
  for (const PaperProcedure& procedure : paper.procedures) scenario = scenario || procedure.scenario;
  missing(paper.recovery_times.empty(), "recovery times (a table with a column RTO)", "fill in objectives: severity");
  missing(paper.recovery_points.empty(), "recovery points (a table with a column RPO)", "fill in objectives: data");
  missing(!scenario, "scenarios (sections called scenario, or with a list under Detection, and a block of commands)",
          "fill in scenarios");
  missing(paper.contacts.empty(), "contacts (a table with a column Phone)", "fill in contacts");
  missing(paper.levels.empty(), "an escalation chain (lines Level N: ... below a heading Escalation)",
          "fill in escalation");
  missing(paper.drills.empty(), "drills (a list of check boxes with monthly, quarterly, ...)", "fill in drills");
}

}  // namespace

ImportedPaper import_paper(std::string_view bytes) {
  ImportedPaper imported;
  if (bytes.size() > kMaxPaperBytes) {
    bytes = bytes.substr(0, kMaxPaperBytes);
    add_warning(imported.faults, "import.too_large", {1, 1},
                fmt::format("only the first {} bytes were read", kMaxPaperBytes), "import the plan alone");
  }
  const Repair repair = repair_mojibake(bytes);
  if (repair.repaired > 0)
    add_warning(imported.faults, "import.double_encoded", {repair.first_line, 1},
                fmt::format("the file is double-encoded UTF-8; {} places were put right in the draft", repair.repaired),
                "save it again as UTF-8: it was read as Windows-1252 once");
  const PaperPlan paper = understand_paper(repair.text);
  say_what_is_missing(paper, imported.faults);
  judge_document(paper, imported.faults);
  judge_procedures(paper, imported.faults);
  judge_commands(paper, imported.faults);
  sort_by_place(imported.faults);
  imported.draft = write_draft(paper);
  return imported;
}

}  // namespace anclora::plan

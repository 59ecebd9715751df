// `plan import`: a paper plan in Markdown to a draft of a plan file, and what is wrong with the paper.
#pragma once

#include <string>
#include <string_view>

#include "plan/finding.h"
#include "plan/import/paper_plan.h"

namespace anclora::plan {

inline constexpr std::size_t kMaxPaperBytes = 4 * 1024 * 1024;

struct ImportedPaper {
  std::string draft;  // YAML; what comes from line N of the paper says so in a comment
  Findings faults;    // of the paper, with its lines, sorted
};

// Any text gives a draft: what is not found is said in it and as a fault `import.not_found`. Never fails.
// Bytes beyond kMaxPaperBytes are left out (`import.too_large`).
ImportedPaper import_paper(std::string_view bytes);

// The draft alone.
std::string write_draft(const PaperPlan& paper);

}  // namespace anclora::plan

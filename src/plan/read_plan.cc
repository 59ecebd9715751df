#include "plan/read_plan.h"

#include "base/bytes.h"
#include "plan/lint/lint.h"
#include "plan/model/plan_builder.h"
#include "plan/reader/yaml_reader.h"
#include "plan/schema/value_checker.h"

namespace anclora::plan {

CheckedPlan check_plan(std::string_view file, std::string_view bytes, const CheckOptions& options) {
  CheckedPlan checked;
  const auto root = read_yaml(bytes, checked.findings);
  if (root) {
    check_by_schema(*root, checked.findings);
    checked.plan = build_plan(*root);
    checked.plan->file = std::string(file);
    checked.plan->hash_hex = to_hex(hash256(bytes));
    lint(*checked.plan, options, checked.findings);
  }
  sort_by_place(checked.findings);
  return checked;
}

namespace {

Error refusal(std::string_view file, const CheckedPlan& checked) {
  constexpr std::size_t kShown = 10;
  std::string message;
  std::size_t errors = 0;
  for (const Finding& finding : checked.findings) {
    if (finding.severity != Severity::kError || ++errors > kShown) continue;
    message += (message.empty() ? "" : "\n") + to_text(file, finding);
  }
  if (errors > kShown) message += "\n... and " + std::to_string(errors - kShown) + " more errors";
  return Error(ErrorKind::kInvalidArgument, message, "see them all: anclora plan check " + std::string(file));
}

}  // namespace

Result<Plan> read_plan(std::string_view file, std::string_view bytes) {
  CheckedPlan checked = check_plan(file, bytes);
  if (checked.usable()) return std::move(*checked.plan);
  return refusal(file, checked);
}

Result<Plan> read_kept_plan(std::string_view file, std::string_view bytes) {
  CheckedPlan checked = check_plan(file, bytes);
  if (checked.plan) return std::move(*checked.plan);
  return refusal(file, checked);
}

}  // namespace anclora::plan

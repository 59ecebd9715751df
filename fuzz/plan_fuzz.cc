// Any bytes are judged as a plan, and imported as paper, without a crash; an imported draft is always readable.
#include "fuzz_target.h"
#include "plan/import/import_paper.h"
#include "plan/read_plan.h"

using namespace anclora::plan;

std::vector<std::string> fuzz_seeds() {
  return {
      "version: 1\nservice: a\nobjectives: {severity: [{id: c, rto: 1m, rto_max: 2m}], data: []}\nsites: [{id: s}]\n"
      "targets: [{id: r, kind: redis, url: env:R}]\nscenarios:\n  - id: x\n    title: X\n    severity: c\n    steps:\n"
      "      - {id: f, uses: redis.fence, with: {target: r}, budget: 1s}\n"
      "      - {id: p, uses: redis.promote, needs: [f], with: {candidates: [r]}, budget: 1s}\n",
      "# Plan\n\n| Severity | RTO | Max |\n|---|---|---|\n| Critical | 15 min | 1 hour |\n\n## Scenario 1: Redis\n"
      "**Detection:**\n- it is gone\n```bash\n# STEP 1: look (1 min)\nredis-cli -h $H --rdb /tmp/a.rdb\n```\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz_input(data, size);
  for (const Finding& finding : check_plan("plan", input).findings) FUZZ_CHECK(finding.place.line > 0);
  FUZZ_CHECK(check_plan("draft", import_paper(input).draft).plan.has_value());
  return 0;
}

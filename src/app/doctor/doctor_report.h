// What `anclora doctor URL` answers: can this Redis be protected, and how well?
#pragma once

#include <string>
#include <vector>

#include "app/doctor/judges.h"

namespace anclora::app {

struct DoctorReport {
  ServerFacts facts;
  Findings findings;
  std::vector<FunctionSupport> functions;

  Severity worst() const;
  // 0: nothing, or only notes; 1: warnings, something should be mended; 5: this Redis cannot be protected as it is.
  int exit_code() const;
};

// Pure.
DoctorReport judge_server(ServerFacts facts);

// Probes and judges; changes nothing on the server. `rate_window` is how long the write rate is measured. Errors are
// those of connecting.
Result<DoctorReport> examine_server(const redis::RedisUrl& url, Dialer& dialer, Clock& clock,
                                    Duration rate_window = std::chrono::seconds(1));

// A page for a terminal.
std::string to_text(const DoctorReport& report);
// {"url", "product", "role", "verdict", "exit_code", "write_bytes_per_second", "findings": [{"code", "severity",
// "text", "mend": []}], "functions": [{"function", "works", "remark"}]}; verdict: "ready", "mend" or "not protectable".
std::string to_json(const DoctorReport& report);

}  // namespace anclora::app

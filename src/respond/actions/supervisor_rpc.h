// supervisord's own interface (XML-RPC over HTTP, http://supervisord.org/api.html): what supervisorctl speaks, without
// starting a program for every question.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "respond/actions/supervisor_address.h"
#include "storage/store/http_client.h"

namespace anclora::respond {

struct SupervisedProcess {
  std::string name;  // "group:process", or one name where both are the same
  std::string group;
  std::string state;  // RUNNING, STARTING, STOPPED, ...
};

// What supervisord refused.
struct SupervisorFault {
  int code = 0;      // 60 already started, 70 not running, ...
  std::string text;  // "SPAWN_ERROR: web:web-0"
};

// One thread. Errors: kUnavailable (nothing answers there), kUnauthenticated, kDeadlineExceeded, kDataLoss (no answer
// of a supervisord); each names the address.
class SupervisorRpc {
 public:
  // A question takes at most `longest`.
  SupervisorRpc(SupervisorAddress address, Duration longest);
  Result<std::vector<SupervisedProcess>> processes();
  // Each returns at once, before the process has stopped or started. Nothing: it was taken.
  Result<std::optional<SupervisorFault>> stop(std::string_view process);
  Result<std::optional<SupervisorFault>> start(std::string_view process);
  Result<std::optional<SupervisorFault>> kill(std::string_view process);

 private:
  struct Answer;
  Result<Answer> call(std::string_view method, const std::string& parameters);
  Result<std::optional<SupervisorFault>> ask(std::string_view method, std::string_view process,
                                             std::string_view second);

  SupervisorAddress address_;
  storage::HttpClient client_;
};

}  // namespace anclora::respond

// What stands behind the HTTP API: the loop's view, and what the disk says of runs, incidents and drills.
#pragma once

#include "app/daemon/serve_loop.h"
#include "app/server/api_router.h"

namespace anclora::app {

// Thread rule: any thread.
class ServeApi final : public ServedApi {
 public:
  ServeApi(const CommandContext& context, ServeLoop& loop) : context_(context), loop_(loop) {}

  bool healthy() override { return loop_.healthy(); }
  std::string metrics() override;
  Result<std::string> status() override;
  Result<std::string> probes() override;
  Result<std::string> verdicts() override;
  Result<std::string> incidents() override;
  Result<std::string> incident(const std::string& id) override;
  Result<std::string> runs() override;
  Result<std::string> run(const std::string& id) override;
  Result<std::string> drills() override;
  Result<std::string> start(const std::string& scenario, const std::string& contact) override;
  Result<std::string> decide_run(const ApiDecision& decision) override;
  Result<std::string> decide_incident(const ApiDecision& decision) override;
  Result<std::string> release(const ApiDecision& decision) override;
  Result<std::string> report(const std::string& body) override;
  Result<std::string> alerts(const std::string& body) override;

 private:
  const CommandContext& context_;
  ServeLoop& loop_;
};

}  // namespace anclora::app

// An API behind which there is nothing: it says what it was asked.
#pragma once

#include <string>

#include "app/server/api_router.h"

namespace anclora::app {

class FakeApi final : public ServedApi {
 public:
  bool healthy() override { return well; }
  std::string metrics() override { return "anclora_up 1\n"; }
  Result<std::string> status() override { return called("status"); }
  Result<std::string> probes() override { return called("probes"); }
  Result<std::string> verdicts() override { return called("verdicts"); }
  Result<std::string> incidents() override { return called("incidents"); }
  Result<std::string> incident(const std::string& id) override { return called("incident " + id); }
  Result<std::string> runs() override { return called("runs"); }
  Result<std::string> run(const std::string& id) override {
    if (id == "none") return Error(ErrorKind::kNotFound, "there is no run none");
    return called("run " + id);
  }
  Result<std::string> drills() override { return called("drills"); }
  Result<std::string> start(const std::string& scenario, const std::string& contact) override {
    return called("start " + scenario + " as " + contact);
  }
  Result<std::string> decide_run(const ApiDecision& decision) override { return decided("run", decision); }
  Result<std::string> decide_incident(const ApiDecision& decision) override { return decided("incident", decision); }
  Result<std::string> release(const ApiDecision& decision) override { return decided("rule", decision); }
  Result<std::string> report(const std::string& body) override { return called("report " + body); }
  Result<std::string> alerts(const std::string& body) override { return called("alerts " + body); }

  bool well = true;
  std::string last;

 private:
  Result<std::string> called(const std::string& what) {
    last = what;
    return std::string("{}");
  }
  Result<std::string> decided(const std::string& kind, const ApiDecision& decision) {
    return called(kind + " " + decision.id + " " + decision.what + " " + decision.step + " " + decision.contact + " " +
                  decision.text);
  }
};

}  // namespace anclora::app

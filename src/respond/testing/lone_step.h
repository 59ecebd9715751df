// A StepContext for one step on its own: targets and outputs as the test gives them, real files, clock and connections.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "respond/runbook/action.h"

namespace anclora::respond::testing {

class LoneStep final : public StepContext {
 public:
  // `with` is YAML flow text: "{target: old, method: auto}".
  LoneStep(std::string uses, const std::string& with);
  // `settings` likewise.
  LoneStep& add_target(const std::string& id, const std::string& kind, const std::string& settings);
  std::map<std::string, Outputs> outputs;
  std::vector<std::string> changes, notes;
  std::optional<WallTime> outage;
  bool fenced = false;  // before_change answers kFenced
  bool give_up = false;

  const plan::Plan& plan() const override { return plan_; }
  plan::Plan& plan_to_edit() { return plan_; }
  const plan::Step& step() const override { return step_; }
  const plan::Target& target(std::string_view id) const override;
  Result<Secret> resolve(std::string_view reference) const override;
  Result<Outputs> outputs_of(std::string_view step_id) const override;
  std::optional<WallTime> outage_began() const override { return outage; }
  bool drill() const override { return true; }
  const std::string& run_id() const override { return run_id_; }
  const std::string& idempotency_token() const override { return token_; }
  Clock& clock() override { return system_clock(); }
  MonoTime deadline() const override { return deadline_; }
  void set_deadline(Duration from_now) { deadline_ = system_clock().mono_now() + from_now; }
  bool cancelled() const override { return give_up; }
  Status before_change(std::string_view what) override;
  Status keep(std::string_view name, std::string_view value) override;
  Outputs kept() const override { return kept_; }
  void note(std::string_view text) override { notes.emplace_back(text); }

 private:
  plan::Plan plan_;
  plan::Step step_;
  Outputs kept_;
  std::string run_id_ = "run-1", token_ = "token-1";
  MonoTime deadline_ = system_clock().mono_now() + std::chrono::seconds(60);
};

}  // namespace anclora::respond::testing

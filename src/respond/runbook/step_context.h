// StepContext for one attempt of a live run, and what every context needs: references and targets.
#pragma once

#include <memory>
#include <string>

#include "respond/runbook/live_run.h"

namespace anclora::respond {

// Reads an env: or file: reference; anything else is a literal. Used by runs and dry runs.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Result<Secret> resolve_reference(FileSystem& files, const Environment& environment, std::string_view reference);
// The target in this environment; nullptr when the plan has none.
const plan::Target* find_target(const plan::Plan& plan, std::string_view environment, std::string_view id);

class LiveStepContext final : public StepContext {
 public:
  LiveStepContext(LiveRun& run, std::shared_ptr<StepAttempt> attempt);
  const plan::Plan& plan() const override { return run_.plan(); }
  const plan::Step& step() const override { return run_.run().steps[attempt_->step].step; }
  const plan::Target& target(std::string_view id) const override;
  Result<Secret> resolve(std::string_view reference) const override;
  Result<Outputs> outputs_of(std::string_view step_id) const override;
  std::optional<WallTime> outage_began() const override;
  bool drill() const override { return drill_; }
  const std::string& run_id() const override { return id_; }
  const std::string& idempotency_token() const override { return token_; }
  Clock& clock() override { return run_.world().clock; }
  MonoTime deadline() const override { return attempt_->deadline; }
  bool cancelled() const override { return attempt_->given_up; }
  Status before_change(std::string_view what) override;
  Status keep(std::string_view name, std::string_view value) override;
  Outputs kept() const override;
  void note(std::string_view text) override;

 private:
  LiveRun& run_;
  std::shared_ptr<StepAttempt> attempt_;
  std::string id_, token_, environment_;
  bool drill_ = false;
};

}  // namespace anclora::respond

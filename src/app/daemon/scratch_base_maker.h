// Bases for capture without the source: a scratch redis-server fed from the repository. The one place where capture and
// restore meet.
#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "protect/capture/base_maker.h"
#include "protect/restore/scratch_restore.h"
#include "storage/store/store.h"

namespace anclora::app {

// make_base() from one thread, cancel() from any.
class ScratchBaseMaker final : public protect::BaseMaker {
 public:
  // `store` and `repository` outlive it.
  ScratchBaseMaker(storage::AppendStore& store, const storage::Repository& repository,
                   protect::ScratchSettings settings, protect::RestoreTools tools)
      : store_(store), repository_(repository), settings_(std::move(settings)), tools_(std::move(tools)) {}

  Result<storage::BaseInfo> make_base(const std::string& source, storage::Position at,
                                      const std::optional<redis::Product>& server) override;
  std::string_view who() const override { return "a scratch server"; }
  void cancel() override { cancelled_.store(true); }
  void allow() override { cancelled_.store(false); }

 private:
  storage::AppendStore& store_;
  const storage::Repository& repository_;
  protect::ScratchSettings settings_;
  protect::RestoreTools tools_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace anclora::app

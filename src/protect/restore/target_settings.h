// The target's settings that a restore changes for its time: remembered, changed, put back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protect/restore/live_link.h"
#include "protect/restore/target_record.h"

namespace anclora::protect {

// One thread. `link` outlives it.
class TargetSettings {
 public:
  explicit TargetSettings(LiveLink& link) : link_(link) {}
  TargetSettings(const TargetSettings&) = delete;
  TargetSettings& operator=(const TargetSettings&) = delete;
  // Puts back what put_back() has not.
  ~TargetSettings();

  // Reads what it is now. False when the server has no such setting or does not tell: that is no failure of a restore.
  // What a restore before us, of `left`, changed and did not put back, goes back to what it was before that one.
  bool intend(const std::string& name, const std::string& value, const TargetRecord* left = nullptr);
  // What change() is going to change: to be kept where it survives us.
  const std::vector<ChangedSetting>& intended() const { return intended_; }
  // Those that the server lets us change.
  void change();
  // As it was wanted, by us or before.
  bool is_set(const std::string& name) const;
  // All but `kept`, which stays as we set it. The names that could not be put back in an error that says how to; ok
  // when all were.
  Status put_back(std::string_view kept = {});

 private:
  LiveLink& link_;
  std::vector<ChangedSetting> intended_;
  std::vector<ChangedSetting> changed_;
  std::vector<std::string> set_;
};

}  // namespace anclora::protect

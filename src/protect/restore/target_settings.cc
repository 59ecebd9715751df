#include "protect/restore/target_settings.h"

#include <algorithm>

namespace anclora::protect {

TargetSettings::~TargetSettings() {
  // Who wanted to hear of it has called put_back().
  ignore_result(put_back());
}

bool TargetSettings::intend(const std::string& name, const std::string& value, const TargetRecord* left) {
  if (left != nullptr)
    for (const ChangedSetting& setting : left->settings)
      if (setting.name == name) {
        intended_.push_back(setting);
        return true;
      }
  const auto client = link_.client();
  if (!client.has_value()) return false;
  auto old = (*client)->config_get(name);
  if (!old.has_value()) return false;
  if (*old == value)
    set_.push_back(name);
  else
    intended_.push_back({name, Secret(std::move(*old)), Secret(value)});
  return true;
}

void TargetSettings::change() {
  for (const ChangedSetting& setting : intended_) {
    const auto client = link_.client();
    if (!client.has_value()) return;
    if (!(*client)->command({"CONFIG", "SET", setting.name, setting.set.reveal()}).has_value()) continue;
    changed_.push_back(setting);
    set_.push_back(setting.name);
  }
}

bool TargetSettings::is_set(const std::string& name) const { return std::ranges::find(set_, name) != set_.end(); }

Status TargetSettings::put_back(std::string_view kept) {
  std::erase_if(changed_, [&](const ChangedSetting& setting) { return setting.name == kept; });
  if (changed_.empty()) return {};
  const auto client = link_.client();
  std::string failed;
  for (const ChangedSetting& setting : changed_)
    if (!client.has_value() ||
        !(*client)->command({"CONFIG", "SET", setting.name, setting.before.reveal()}).has_value())
      failed += (failed.empty() ? "" : ", ") + setting.name;
  changed_.clear();
  if (failed.empty()) return {};
  return Error(ErrorKind::kUnavailable, "these settings of the target could not be put back: " + failed,
               "anclora restore --undo --to " + link_.url().to_string() +
                   " once it answers; or CONFIG SET as its configuration file has them");
}

}  // namespace anclora::protect

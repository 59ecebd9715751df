// A channel's settings with their references read, and what was secret among them, to keep it out of what is said.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "respond/notify/channel.h"

namespace anclora::respond {

// Thread rule: one thread at a time.
class ChannelSettings {
 public:
  ChannelSettings(const plan::Channel& channel, const ReferenceLookup& lookup) : channel_(channel), lookup_(lookup) {}

  // The setting's value, or `otherwise` where the plan has none. What came out of a reference counts as secret.
  Result<std::string> text(std::string_view name, std::string otherwise = {});
  // kInvalidArgument where the plan has none or it is empty.
  Result<std::string> required(std::string_view name);
  std::vector<std::string> list(std::string_view name) const;
  const std::vector<Secret>& secrets() const { return secrets_; }
  const std::string& kind() const { return channel_.kind; }
  // "smtp channel: to: ...".
  Error wrong(std::string_view name, std::string_view why, std::string hint = {}) const;

 private:
  const plan::Channel& channel_;
  const ReferenceLookup& lookup_;
  std::vector<Secret> secrets_;
};

// One line of at most 300 bytes in which every secret of 4 bytes or more is "***".
std::string without_secrets(std::string text, const std::vector<Secret>& secrets);

Result<std::unique_ptr<Channel>> make_smtp_channel(ChannelSettings& settings, const ChannelMeans& means);
Result<std::unique_ptr<Channel>> make_webhook_channel(ChannelSettings& settings, const ChannelMeans& means);
Result<std::unique_ptr<Channel>> make_pagerduty_channel(ChannelSettings& settings, const ChannelMeans& means);
Result<std::unique_ptr<Channel>> make_evolution_channel(ChannelSettings& settings, const ChannelMeans& means);
Result<std::unique_ptr<Channel>> make_command_channel(ChannelSettings& settings, const ChannelMeans& means);

}  // namespace anclora::respond

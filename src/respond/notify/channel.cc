#include "respond/notify/channel.h"

#include <fmt/format.h>

#include "plan/model/value_access.h"
#include "respond/notify/channel_settings.h"

namespace anclora::respond {
namespace {

constexpr std::size_t kLongestDetail = 300;
constexpr std::size_t kShortestSecret = 4;  // shorter ones would blank out half of every message

}  // namespace

Error ChannelSettings::wrong(std::string_view name, std::string_view why, std::string hint) const {
  return {ErrorKind::kInvalidArgument, fmt::format("{} channel: {}: {}", channel_.kind, name, why), std::move(hint)};
}

Result<std::string> ChannelSettings::text(std::string_view name, std::string otherwise) {
  const std::string written = plan::text_of(channel_.settings, name);
  if (written.empty()) return otherwise;
  auto resolved = lookup_(written);
  if (!resolved) return resolved.error().with_context(fmt::format("{} channel: {}", channel_.kind, name));
  if (resolved->reveal() != written) secrets_.push_back(*resolved);
  return resolved->reveal();
}

Result<std::string> ChannelSettings::required(std::string_view name) {
  ASSIGN_OR_RETURN(std::string value, text(name));
  if (value.empty()) return wrong(name, "it is empty", "give it in the plan, or what its reference names");
  return value;
}

std::vector<std::string> ChannelSettings::list(std::string_view name) const {
  return plan::texts_of(channel_.settings, name);
}

std::string without_secrets(std::string text, const std::vector<Secret>& secrets) {
  for (const Secret& secret : secrets) {
    const std::string& hidden = secret.reveal();
    if (hidden.size() < kShortestSecret) continue;
    for (std::size_t at = 0; (at = text.find(hidden, at)) != std::string::npos; at += 3)
      text.replace(at, hidden.size(), "***");
  }
  return one_line(text, kLongestDetail);
}

Result<std::unique_ptr<Channel>> make_channel(const plan::Channel& channel, const ReferenceLookup& lookup,
                                              const ChannelMeans& means) {
  ChannelSettings settings(channel, lookup);
  if (channel.kind == "smtp") return make_smtp_channel(settings, means);
  if (channel.kind == "webhook") return make_webhook_channel(settings, means);
  if (channel.kind == "pagerduty") return make_pagerduty_channel(settings, means);
  if (channel.kind == "evolution") return make_evolution_channel(settings, means);
  if (channel.kind == "command") return make_command_channel(settings, means);
  if (channel.kind == "phone")
    return Error(ErrorKind::kUnsupported, "a person dials it; nothing is sent",
                 "give the contact a channel by which something is sent");
  return Error(ErrorKind::kUnsupported, fmt::format("this version has no channel of kind {}", channel.kind));
}

}  // namespace anclora::respond

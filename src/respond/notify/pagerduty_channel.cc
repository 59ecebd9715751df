// PagerDuty's Events API v2: POST {routing_key, event_action, dedup_key, payload}. 202 means accepted, not that anybody
// was called.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "respond/notify/channel_settings.h"
#include "respond/notify/http_delivery.h"

namespace anclora::respond {
namespace {

constexpr const char* kEndpoint = "https://events.pagerduty.com/v2/enqueue";
constexpr std::size_t kLongestSummary = 1024;
constexpr std::size_t kLongestKey = 255;

const char* event_action(MessageKind kind) {
  if (kind == MessageKind::kAcknowledged) return "acknowledge";
  return kind == MessageKind::kResolved ? "resolve" : "trigger";
}

// Longer keys are refused there; their hash keeps them apart.
std::string dedup_key_of(const Message& message) {
  if (message.dedup_key.size() <= kLongestKey) return one_line(message.dedup_key, kLongestKey);
  return to_hex(hash256(message.dedup_key));
}

std::string body_of(const Message& message, const std::string& routing_key) {
  nlohmann::json body = {{"routing_key", routing_key}, {"event_action", event_action(message.kind)}};
  if (!message.dedup_key.empty()) body["dedup_key"] = dedup_key_of(message);
  if (body["event_action"] != "trigger") return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::string source = message.service.empty() ? "anclora-dr" : one_line(message.service, kLongestSummary);
  body["client"] = "Anclora DR";
  body["payload"] = {{"summary", one_line(message.subject, kLongestSummary)},
                     {"source", source},
                     {"severity", to_string(message.urgency)},
                     {"custom_details", nlohmann::json::parse(to_json(message))}};
  if (message.at != WallTime{}) body["payload"]["timestamp"] = format_rfc3339(message.at);
  if (message.acknowledge.starts_with("https://"))
    body["links"] = {{{"href", one_line(message.acknowledge, kLongestSummary)}, {"text", "Acknowledge"}}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class PagerDutyChannel final : public Channel {
 public:
  PagerDutyChannel(Posting posting, Secret routing_key, std::vector<Secret> secrets, Clock& clock)
      : posting_(std::move(posting)),
        routing_key_(std::move(routing_key)),
        secrets_(std::move(secrets)),
        clock_(clock) {}

  Attempt deliver(const Message& message, MonoTime deadline) override {
    Posting posting = posting_;
    posting.body = body_of(message, routing_key_.reveal());
    const Posted posted = post_json(posting, clock_, deadline);
    Attempt attempt = judge(posted, clock_.wall_now());
    if (attempt.accepted) attempt.detail = "PagerDuty accepted the event";
    if (posted.status == 400)
      attempt.detail += ": PagerDuty does not know the routing key, or finds the event malformed";
    attempt.detail = without_secrets(std::move(attempt.detail), secrets_);
    return attempt;
  }

 private:
  const Posting posting_;
  const Secret routing_key_;
  const std::vector<Secret> secrets_;
  Clock& clock_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_pagerduty_channel(ChannelSettings& settings, const ChannelMeans& means) {
  Posting posting;
  ASSIGN_OR_RETURN(posting.url, settings.text("url", kEndpoint));
  if (const Status fits = check_http_url(posting.url); !fits) return settings.wrong("url", fits.error().message());
  ASSIGN_OR_RETURN(posting.ca_file, settings.text("ca_file"));
  ASSIGN_OR_RETURN(std::string routing_key, settings.required("routing_key"));
  return std::unique_ptr<Channel>(
      new PagerDutyChannel(std::move(posting), Secret(std::move(routing_key)), settings.secrets(), means.clock));
}

}  // namespace anclora::respond

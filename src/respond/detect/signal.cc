#include "respond/detect/signal.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/hmac.h"

namespace anclora::respond {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestBody = kMiB;
constexpr std::size_t kMostAlerts = 1000;
constexpr std::size_t kLongestTitle = 300;

// The member under a path of names, or null: senders leave out what they like.
const json& at(const json& object, std::initializer_list<const char*> path) {
  static const json kNull;
  const json* value = &object;
  for (const char* name : path) {
    if (!value->is_object()) return kNull;
    const auto found = value->find(name);
    if (found == value->end()) return kNull;
    value = &*found;
  }
  return *value;
}

std::string text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() ? value.dump() : std::string();
}

std::string first_text(std::initializer_list<const json*> values) {
  for (const json* value : values)
    if (std::string found = text(*value); !found.empty()) return found;
  return {};
}

// One line for a terminal and a report, whatever the sender put into it.
std::string printable(std::string title) {
  if (title.size() > kLongestTitle) {
    std::size_t end = kLongestTitle;
    while (end > 0 && (static_cast<unsigned char>(title[end]) & 0xc0) == 0x80) --end;  // not within a character
    title.resize(end);
  }
  for (char& c : title)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return title;
}

// RFC 3339, or CloudWatch's "+0000" without a colon.
std::optional<WallTime> time_of(const json& value) {
  std::string moment = text(value);
  const std::size_t size = moment.size();
  if (size > 5 && (moment[size - 5] == '+' || moment[size - 5] == '-')) moment.insert(size - 2, ":");
  const auto parsed = parse_rfc3339(moment);
  return parsed.has_value() ? std::optional(*parsed) : std::nullopt;
}

Signal make(std::string source, std::string id, std::string title, std::string severity, bool firing,
            const json& since) {
  return {
      std::move(source), printable(std::move(id)), printable(std::move(title)), printable(std::move(severity)), firing,
      time_of(since)};
}

Result<std::vector<Signal>> of_alertmanager(const json& body) {
  const json& alerts = at(body, {"alerts"});
  if (alerts.size() > kMostAlerts)
    return Error(ErrorKind::kResourceExhausted,
                 fmt::format("{} alerts in one message, at most {} are read", alerts.size(), kMostAlerts),
                 "set max_alerts in Alertmanager's webhook configuration");
  std::vector<Signal> signals;
  for (const json& alert : alerts) {
    const std::string title = first_text({&at(alert, {"annotations", "summary"}), &at(alert, {"labels", "alertname"})});
    signals.push_back(make("alertmanager", text(at(alert, {"fingerprint"})), title,
                           text(at(alert, {"labels", "severity"})), text(at(alert, {"status"})) != "resolved",
                           at(alert, {"startsAt"})));
  }
  return signals;
}

Signal of_sentry(const json& body) {
  const std::string action = text(at(body, {"action"}));
  const json& metric = at(body, {"data", "metric_alert"});
  const json& event = at(body, {"data", "event"});
  const json& issue = at(body, {"data", "issue"});
  const std::string id = first_text({&at(metric, {"id"}), &at(event, {"event_id"}), &at(issue, {"id"})});
  const std::string title = first_text({&at(body, {"data", "description_title"}), &at(metric, {"alert_rule", "name"}),
                                        &at(event, {"title"}), &at(issue, {"title"})});
  const std::string level = first_text({&at(event, {"level"}), &at(issue, {"level"})});
  return make("sentry", id, title, metric.is_null() ? level : action, action != "resolved",
              metric.is_null() ? at(event, {"datetime"}) : at(metric, {"date_started"}));
}

Signal of_guardduty(const json& body) {
  const json& detail = at(body, {"detail"});
  return make("guardduty", first_text({&at(detail, {"id"}), &at(body, {"id"})}),
              first_text({&at(detail, {"title"}), &at(detail, {"type"})}), text(at(detail, {"severity"})), true,
              at(body, {"time"}));
}

Signal of_cloudwatch(const json& alarm, const std::string& id) {
  return make("cloudwatch", first_text({&at(alarm, {"AlarmArn"}), &at(alarm, {"AlarmName"})}).append("#" + id),
              text(at(alarm, {"AlarmName"})) + ": " + text(at(alarm, {"NewStateReason"})), "",
              text(at(alarm, {"NewStateValue"})) == "ALARM", at(alarm, {"StateChangeTime"}));
}

bool is_guardduty(const json& body) {
  return text(at(body, {"source"})) == "aws.guardduty" || text(at(body, {"detail-type"})) == "GuardDuty Finding";
}

Result<std::vector<Signal>> of_sns(const json& body) {
  const std::string type = text(at(body, {"Type"}));
  if (type == "SubscriptionConfirmation")
    return Error(ErrorKind::kFailedPrecondition, "SNS asks to confirm the subscription of this address",
                 "confirm it once yourself: open " + printable(text(at(body, {"SubscribeURL"}))));
  if (type != "Notification")
    return Error(ErrorKind::kInvalidArgument, "an SNS message of a type that is no notification: " + printable(type));
  const std::string id = text(at(body, {"MessageId"}));
  const json inner = json::parse(text(at(body, {"Message"})), nullptr, false);
  if (is_guardduty(inner)) return std::vector{of_guardduty(inner)};
  if (!at(inner, {"AlarmName"}).is_null()) return std::vector{of_cloudwatch(inner, id)};
  return std::vector{
      make("sns", id, first_text({&at(body, {"Subject"}), &at(body, {"Message"})}), "", true, at(body, {"Timestamp"}))};
}

}  // namespace

Result<std::vector<Signal>> parse_signals(std::string_view text_body) {
  if (text_body.size() > kLargestBody)
    return Error(ErrorKind::kResourceExhausted, "the alert is larger than 1 MiB", "send fewer alerts in one message");
  // The parser recurses by depth of nesting only as far as it is given bytes; a megabyte of brackets is refused here.
  constexpr int kDeepest = 32;
  const auto shallow = [](int depth, json::parse_event_t, json&) { return depth <= kDeepest; };
  const json body = json::parse(text_body, shallow, false);
  if (!body.is_object())
    return Error(ErrorKind::kInvalidArgument, "the alert is not a JSON object", "send the webhook's body as it is");
  if (at(body, {"alerts"}).is_array()) return of_alertmanager(body);
  if (at(body, {"Type"}).is_string()) return of_sns(body);
  if (is_guardduty(body)) return std::vector{of_guardduty(body)};
  if (at(body, {"action"}).is_string() && at(body, {"data"}).is_object()) return std::vector{of_sentry(body)};
  if (at(body, {"title"}).is_string())
    return std::vector{make("generic", text(at(body, {"id"})), text(at(body, {"title"})), text(at(body, {"severity"})),
                            text(at(body, {"status"})) != "resolved", at(body, {"since"}))};
  return Error(ErrorKind::kInvalidArgument, "an alert of no known shape",
               "known are Alertmanager, Sentry, SNS, CloudWatch and GuardDuty, or {\"title\": ...}");
}

bool signal_is_authentic(const SignalHeaders& headers, std::string_view body, const Secret& secret) {
  if (secret.empty()) return false;
  constexpr std::string_view kBearer = "Bearer ";
  if (std::string_view(headers.authorization).starts_with(kBearer) &&
      Secret(headers.authorization.substr(kBearer.size())).equals(secret))
    return true;
  if (Secret(headers.token).equals(secret)) return true;
  return !headers.sentry_signature.empty() &&
         Secret(headers.sentry_signature).equals(Secret(to_hex(hmac_sha256(secret.reveal(), body))));
}

}  // namespace anclora::respond

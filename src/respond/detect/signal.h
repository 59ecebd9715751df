// Alerts from outside (Alertmanager, Sentry, SNS with CloudWatch alarms, GuardDuty by EventBridge), read from the body
// of a webhook. A signal stands beside a verdict as a reason to look; it never confirms one. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace anclora::respond {

struct Signal {
  std::string source;    // alertmanager | sentry | cloudwatch | sns | guardduty | generic
  std::string id;        // the sender's own, for removing repeats
  std::string title;     // at most 300 bytes, control characters replaced
  std::string severity;  // as the sender says it; "" when it does not
  bool firing = true;    // false: the sender says it is over
  std::optional<WallTime> since;
};

// Recognises the shape by itself. kInvalidArgument: not JSON or none of the shapes; kResourceExhausted: over 1 MiB or
// over 1,000 alerts. An SNS subscription confirmation is kFailedPrecondition, its hint is the URL to open: we open
// none.
Result<std::vector<Signal>> parse_signals(std::string_view body);

// Whether the sender knows the shared secret: "Authorization: Bearer <secret>" or "X-Anclora-Token: <secret>", or a
// Sentry-Hook-Signature (HMAC-SHA256 of the body in hex). Compared in constant time. No secret: nothing is accepted.
struct SignalHeaders {
  std::string authorization, token, sentry_signature;
};
bool signal_is_authentic(const SignalHeaders& headers, std::string_view body, const Secret& secret);

}  // namespace anclora::respond

// What people are told, and what became of telling them. Neither ever holds a secret: both are journaled.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace anclora::respond {

enum class MessageKind : std::uint8_t {
  kAlert,         // something is wrong; a person should act
  kUpdate,        // about an alert that was sent before (same dedup_key)
  kAcknowledged,  // somebody took it
  kResolved,      // it is over
  kTest,          // somebody tries the channel
};
std::string_view to_string(MessageKind kind);  // "alert", "update", "acknowledged", "resolved", "test"

enum class Urgency : std::uint8_t { kCritical, kError, kWarning, kInfo };
std::string_view to_string(Urgency urgency);  // "critical", "error", "warning", "info"
// Of a plan's severity: critical is critical, high error, medium warning, anything else info.
Urgency urgency_of(std::string_view severity);

struct Message {
  MessageKind kind = MessageKind::kAlert;
  Urgency urgency = Urgency::kInfo;
  std::string service;   // the plan's
  std::string subject;   // one line; control characters are replaced on the way out
  std::string text;      // the body, as many lines as needed
  std::string incident;  // id, "" when there is none
  std::string run;       // id, "" when there is none
  std::string
      acknowledge;        // what to type or to open to take it: a command or an https:// link; "" when no answer is due
  std::string dedup_key;  // the same for everything about one incident: receivers fold by it
  std::string call;       // never sent: two messages that say the same are two where this differs
  WallTime at{};
};

// Subject, text, then what it is about and how to acknowledge it: for channels that carry one text. UTF-8; invalid
// bytes and control characters other than a newline are replaced.
std::string plain_text(const Message& message);
// One JSON object (kind, urgency, service, subject, text, incident, run, acknowledge, dedup_key, at): for programs.
std::string to_json(const Message& message);
// `text` in one line of valid UTF-8, at most `most_bytes`, cut between characters.
std::string one_line(std::string_view text, std::size_t most_bytes);

enum class DeliveryState : std::uint8_t {
  kSent,     // the other side took it over; not that a person has read it: only an acknowledgement is proof
  kFailed,   // refused, or not taken over within the bound
  kLimited,  // held back by the rate limit; the next message to this contact by this channel says how many were
  kSkipped,  // nothing is sent this way: a telephone that a person dials
};
std::string_view to_string(DeliveryState state);  // "sent", "failed", "limited", "skipped"

struct Delivery {
  std::string contact;      // id
  std::string channel;      // kind: smtp, webhook, ...
  std::uint32_t index = 0;  // of the channel in the contact's list, from 0: two of one kind differ by it
  DeliveryState state = DeliveryState::kFailed;
  std::string detail;  // for people: "the server took it", "status 503"; no secret
  WallTime at{};       // of the last attempt's end
  std::uint32_t attempts = 0;
};

}  // namespace anclora::respond

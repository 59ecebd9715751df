// Contacts: real people behind real addresses, and an alarm that does not ride on what failed.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/lint/shell_words.h"
#include "plan/model/value_access.h"

namespace anclora::plan {
namespace {

void check_address(const Contact& contact, const Value& value, Findings& findings) {
  if (value.text.starts_with("env:") || value.text.starts_with("file:/")) return;
  if (is_placeholder(value.text)) {
    add_warning(findings, "contact.placeholder", value.place,
                fmt::format("\"{}\" of {} was never filled in", value.text, contact.id),
                "write the real one, and try it");
    return;
  }
  const std::string host = host_of(value.text);
  if (host.empty()) return;
  if (is_reserved_domain(host))
    add_warning(findings, "contact.placeholder", value.place,
                fmt::format("\"{}\" of {}: nobody is behind {}", value.text, contact.id, host),
                "write the real one, and try it");
  else if (!has_known_tld(host))
    add_warning(findings, "contact.unknown_domain", value.place,
                fmt::format("\"{}\" of {}: \".{}\" is no top-level domain that we know", value.text, contact.id,
                            host.substr(host.rfind('.') + 1)),
                "check the address");
}

void check_phone(const Contact& contact, const Value& number, Findings& findings) {
  if (number.text.starts_with("env:") || number.text.starts_with("file:/") || is_placeholder(number.text)) return;
  if (looks_like_email(number.text)) {
    add_warning(findings, "contact.email_as_phone", number.place,
                fmt::format("the number of {} is an e-mail address", contact.id), "give it a channel of kind smtp");
    return;
  }
  const auto digits = std::ranges::count_if(number.text, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (digits < 7 || digits > 15)
    add_warning(findings, "contact.phone", number.place,
                fmt::format("\"{}\" of {} is no telephone number", number.text, contact.id),
                "write it with its country: +34 ...");
}

void check_mail(const Contact& contact, const Channel& channel, Findings& findings) {
  const Value* username = channel.settings.find("username");
  const Value* password = channel.settings.find("password");
  if ((username == nullptr) != (password == nullptr))
    add_error(
        findings, "channel.credentials", channel.place,
        fmt::format("the smtp channel of {} has a {} alone", contact.id, username != nullptr ? "username" : "password"),
        "give both, by reference, or none");
  const Value* tls = channel.settings.find("tls");
  if (tls != nullptr && tls->text == "none" && password != nullptr)
    add_error(findings, "channel.cleartext", tls->place,
              fmt::format("the password of {}'s smtp channel would be sent in the clear", contact.id),
              "leave tls: none out");
}

void check_program(const Contact& contact, const Channel& channel, Findings& findings) {
  const Value* argv = channel.settings.find("argv");
  if (channel.kind == "command" && argv != nullptr && runs_a_shell(*argv))
    add_error(findings, "exec.shell", argv->place, fmt::format("the command channel of {} runs a shell", contact.id),
              "name the program; it gets the message as JSON on standard input");
}

void check_channel(const Contact& contact, const Channel& channel, Findings& findings) {
  if (channel.kind == "smtp") check_mail(contact, channel, findings);
  check_program(contact, channel, findings);
  for (const Entry& entry : channel.settings.entries) {
    const Value& value = entry.value;
    if (value.kind != ValueKind::kScalar) continue;
    if (entry.key == "number") check_phone(contact, value, findings);
    if (entry.key == "to" && channel.kind == "smtp" && !value.text.starts_with("env:") &&
        !value.text.starts_with("file:/") && !looks_like_email(value.text) && !is_placeholder(value.text))
      add_warning(findings, "contact.email", value.place,
                  fmt::format("\"{}\" of {} is no e-mail address", value.text, contact.id), "write name@host");
    if (entry.key == "to" || entry.key == "number" || entry.key == "url" || entry.key == "server")
      check_address(contact, value, findings);
  }
  if (channel.kind == "evolution" && channel.depends_on.empty())
    add_warning(findings, "channel.dependence", channel.place,
                fmt::format("{} is told by WhatsApp, and it is not said what that depends on", contact.id),
                "add depends_on: the target that must work for it");
}

// What may have failed when a scenario runs: what its detection looks at, and everything at a site that is left.
std::set<std::string_view> failing_targets(const Plan& plan) {
  std::set<std::string_view> failing;
  const std::string primary = primary_site(plan);
  for (const Detection& detection : plan.detections)
    for (const auto* list : {&detection.all, &detection.any})
      for (const Condition& condition : *list)
        if (const Probe* probe = find_probe(plan, condition.probe))
          for (const NamedTarget& named : targets_of(plan, probe->uses, probe->with)) failing.insert(named.target->id);
  for (const Target& target : plan.targets)
    if (!primary.empty() && target.site == primary) failing.insert(target.id);
  return failing;
}

void check_circle(const Contact& contact, const std::set<std::string_view>& failing, Findings& findings) {
  const Channel* circular = nullptr;
  bool independent = false;
  for (const Channel& channel : contact.channels) {
    if (failing.contains(channel.depends_on) && !channel.depends_on.empty())
      circular = circular == nullptr ? &channel : circular;
    else
      independent = true;
  }
  if (circular == nullptr) return;
  const std::string message = fmt::format("the {} channel of {} depends on \"{}\", which is what may have failed",
                                          circular->kind, contact.id, circular->depends_on);
  if (independent)
    add_warning(findings, "channel.circular", circular->place, message, "keep it as the second channel at most");
  else
    add_error(findings, "channel.circular", circular->place, message, "add a channel that does not depend on it");
}

}  // namespace

void lint_contacts(const Plan& plan, Findings& findings) {
  const auto failing = failing_targets(plan);
  for (const Contact& contact : plan.contacts) {
    if (is_placeholder(contact.name))
      add_warning(findings, "contact.placeholder", contact.place,
                  fmt::format("the name of {} was never filled in: {}", contact.id, contact.name), "write who it is");
    for (const Channel& channel : contact.channels) check_channel(contact, channel, findings);
    check_circle(contact, failing, findings);
  }
  if (plan.contacts.empty()) add_warning(findings, "contact.none", {1, 1}, "the plan names nobody", "add contacts:");
}

}  // namespace anclora::plan

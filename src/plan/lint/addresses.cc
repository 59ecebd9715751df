// Addresses that are written out: what no program could ever reach is found here, not in the disaster.
#include <fmt/format.h>

#include "plan/lint/address_form.h"
#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/lint/shell_words.h"
#include "plan/model/value_access.h"

namespace anclora::plan {
namespace {

using Complaint = std::string (*)(std::string_view);

void check_form(const Value& settings, std::string_view key, Complaint complaint, std::string code,
                std::string_view where, std::string hint, Findings& findings) {
  const Value* value = settings.find(key);
  if (value == nullptr || value->kind != ValueKind::kScalar || value->text.empty()) return;
  // file:/path is a reference, and file:///path, which a repository may look like, is one too: to the same file.
  const bool looks_like_a_store = complaint == complaint_of_repository && value->text.starts_with("file://");
  if (is_reference(value->text) && !looks_like_a_store) return;
  // With its password it is reported as a secret, and shown nowhere.
  if (value->text.find('@') != std::string::npos) return;
  if (const std::string wrong = complaint(value->text); !wrong.empty())
    add_error(findings, std::move(code), value->place,
              fmt::format("\"{}\" of {} {}", value->text.substr(0, 80), where, wrong), std::move(hint));
}

void check_path(const Value& settings, std::string_view key, std::string_view where, Findings& findings) {
  const Value* value = settings.find(key);
  if (value == nullptr || value->kind != ValueKind::kScalar || value->text.empty() || value->text.starts_with('/'))
    return;
  add_error(findings, "probe.path", value->place,
            fmt::format("the path \"{}\" of {} does not begin with /", value->text.substr(0, 80), where),
            "it is put behind the url of the target: write /" + value->text.substr(0, 80));
}

void check_file(const Target& target, Findings& findings) {
  const Value* path = target.settings.find("path");
  if ((target.kind != "configuration" && target.kind != "traffic") || path == nullptr || is_reference(path->text) ||
      !path->text.ends_with('/'))
    return;
  add_error(findings, "target.address", path->place,
            fmt::format("\"{}\" of \"{}\" is a folder", path->text.substr(0, 80), target.id), "name the file");
}

void check_target(const Target& target, Findings& findings) {
  const std::string where = "\"" + target.id + "\"";
  const auto url = [&](Complaint complaint, std::string hint) {
    check_form(target.settings, "url", complaint, "target.address", where, std::move(hint), findings);
  };
  if (target.kind == "redis") url(complaint_of_redis, "write redis://host:6379, rediss:// or unix:///path");
  if (target.kind == "http") url(complaint_of_http, "write https://host, https://host:port");
  if (target.kind == "repository") url(complaint_of_repository, "write a path or s3://bucket/prefix");
  if (target.kind == "queue")
    for (const char* key : {"add_path", "metrics_path"}) check_path(target.settings, key, where, findings);
  check_file(target, findings);
}

void check_channel(const Contact& contact, const Channel& channel, Findings& findings) {
  const std::string where = fmt::format("the {} channel of {}", channel.kind, contact.id);
  for (const char* key : {"server", "url"})
    if (is_placeholder(text_of(channel.settings, key))) return;  // that is said already
  if (channel.kind == "smtp")
    check_form(channel.settings, "server", complaint_of_mail_server, "channel.server", where,
               "write smtp://host:587 or smtps://host:465", findings);
  if (channel.kind == "pagerduty" || channel.kind == "evolution")
    check_form(channel.settings, "url", complaint_of_http, "channel.address", where, "write https://host", findings);
}

}  // namespace

void lint_addresses(const Plan& plan, Findings& findings) {
  for (const Target& target : plan.targets) check_target(target, findings);
  for (const Environment& environment : plan.environments)
    for (const Target& target : environment.targets) check_target(target, findings);
  for (const Contact& contact : plan.contacts)
    for (const Channel& channel : contact.channels) check_channel(contact, channel, findings);
  for (const Probe& probe : plan.probes)
    if (probe.uses == "probe.http") check_path(probe.with, "path", "probe \"" + probe.id + "\"", findings);
  for (const Scenario& scenario : plan.scenarios)
    for (const auto* steps : scenario.step_lists())
      for (const Step& step : *steps)
        if (step.uses == "probe.http") check_path(step.with, "path", "step \"" + step.id + "\"", findings);
}

}  // namespace anclora::plan

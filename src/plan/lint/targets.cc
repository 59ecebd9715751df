// Targets and every literal of the plan: images by digest, no secrets, sites that are named.
#include <fmt/format.h>

#include <algorithm>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/lint/shell_words.h"
#include "plan/model/value_access.h"

namespace anclora::plan {
namespace {

void check_image(const Value& image, Findings& findings) {
  if (image.text.starts_with("env:")) return;  // judged when it is read
  if (image.text.find("@sha256:") != std::string::npos) {
    const std::string digest = image.text.substr(image.text.find("@sha256:") + 8);
    if (digest.size() != 64 || digest.find_first_not_of("0123456789abcdef") != std::string::npos)
      add_error(findings, "image.digest", image.place,
                fmt::format("the digest of \"{}\" has not 64 hexadecimal digits", image.text),
                "copy it from the registry");
    return;
  }
  const auto slash = image.text.find_last_of('/');
  const std::string name = slash == std::string::npos ? image.text : image.text.substr(slash + 1);
  const bool latest = name.find(':') == std::string::npos || name.ends_with(":latest");
  add_error(findings, latest ? "image.latest" : "image.tag", image.place,
            latest ? fmt::format("image \"{}\" is whatever was pushed last", image.text)
                   : fmt::format("image \"{}\" is named by a tag, which can be moved", image.text),
            "name it by its digest: name@sha256:...");
}

// Every scalar below `value`, with the key that it stands under.
void check_literals(const Value& value, std::string_view key, Findings& findings) {
  if (value.kind == ValueKind::kScalar) {
    if (key == "image") check_image(value, findings);
    if (looks_like_secret(value.text))
      add_error(findings, "secret.literal", value.place, "a secret stands in the plan",
                "write env:NAME or file:/path, and change the secret: it is in this file's history");
    return;
  }
  for (const Value& item : value.items) check_literals(item, key, findings);
  for (const Entry& entry : value.entries) check_literals(entry.value, entry.key, findings);
}

void check_allow_list(const Target& target, Findings& findings) {
  const Value* allow = target.settings.find("allow");
  if (target.kind != "command" || allow == nullptr) return;
  for (const Value& item : allow->items)
    if (const Value* argv = item.find("argv"); argv != nullptr && (runs_a_shell(*argv) || allows_any_program(*argv)))
      add_error(findings, "exec.shell", argv->place,
                fmt::format("\"{}\" allows a shell: it would allow everything", target.id),
                "allow the program itself, or a script by its path");
}

void check_standby(const Plan& plan, const Target& target, Findings& findings) {
  if (target.standby_of.empty()) return;
  const Target* other = find_target(plan, target.standby_of);
  if (other == nullptr) return;
  if (other == &target || other->kind != target.kind)
    add_error(findings, "target.standby", target.place,
              fmt::format("\"{}\" cannot stand in for \"{}\", of kind {}", target.id, other->id, other->kind),
              "standby_of names another target of the same kind");
  else if (text_of(target.settings, "role") == "primary")
    add_error(findings, "target.standby", target.place,
              fmt::format("\"{}\" is a primary and stands in for \"{}\"", target.id, other->id),
              "role: replica or standby, or no standby_of");
}

void check_flip_answers(const Plan& plan, const Step& step, Findings& findings) {
  if (!is_one_of(step, {"traffic.flip", "traffic.verify", "dns.flip"})) return;
  const Target* target = find_target(plan, text_of(step.with, "target"));
  const std::string to = text_of(step.with, "to");
  if (target == nullptr || to.empty()) return;
  const auto answers = maps_of(target->settings, "answers");
  if (std::ranges::none_of(answers, [&](const Value* answer) { return text_of(*answer, "id") == to; }))
    add_error(findings, "traffic.no_answer", place_of(step.with, "to"),
              fmt::format("\"{}\" has no answer \"{}\"", target->id, to), "name one of the target's answers");
}

void check_sites(const Plan& plan, Findings& findings) {
  std::size_t primary = 0;
  Place last;
  for (const Site& site : plan.sites) {
    if (!site.primary) continue;
    ++primary;
    last = site.place;
  }
  if (primary > 1)
    add_error(findings, "site.two_primaries", last, fmt::format("{} sites are primary", primary),
              "mark the one that normally serves");
  if (primary == 0 && !plan.sites.empty())
    add_warning(findings, "site.no_primary", plan.sites.front().place,
                "no site is marked as the one that normally serves", "add primary: true");
  for (const Target& target : plan.targets)
    if (target.site.empty() && plan.sites.size() > 1 &&
        (target.kind == "redis" || target.kind == "service" || target.kind == "repository"))
      add_warning(findings, "target.no_site", target.place, fmt::format("it is not said where \"{}\" is", target.id),
                  "add site:");
}

}  // namespace

void lint_targets(const Plan& plan, Findings& findings) {
  check_sites(plan, findings);
  for (const Target& target : plan.targets) {
    check_literals(target.settings, "", findings);
    check_allow_list(target, findings);
    check_standby(plan, target, findings);
  }
  for (const Environment& environment : plan.environments)
    for (const Target& target : environment.targets) {
      check_literals(target.settings, "", findings);
      check_allow_list(target, findings);
    }
  for (const Probe& probe : plan.probes) check_literals(probe.with, "", findings);
  for (const Contact& contact : plan.contacts)
    for (const Channel& channel : contact.channels) check_literals(channel.settings, "", findings);
  for (const Scenario& scenario : plan.scenarios)
    for (const auto* steps : scenario.step_lists())
      for (const Step& step : *steps) {
        check_literals(step.with, "", findings);
        check_flip_answers(plan, step, findings);
      }
}

}  // namespace anclora::plan

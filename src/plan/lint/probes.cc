// Probes by themselves: what they look at can be wrong, and what they ask can be so.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/model/value_access.h"
#include "plan/schema/span.h"

namespace anclora::plan {
namespace {

constexpr std::uint32_t kNoNumber = 0xffffffffU;

void check_invariant(const Value& invariant, Findings& findings) {
  const auto has = [&](const char* key) { return invariant.find(key) != nullptr; };
  // A tolerance of no number allows everything.
  if (has("tolerance") && !has("keys"))
    add_error(findings, "probe.tolerance", place_of(invariant, "tolerance"), "a tolerance of how many keys is not said",
              "add keys: the number that there should be");
  const bool has_ttl = has("ttl") && text_of(invariant, "ttl") != "any";
  const bool has_least = integer_of(invariant, "at_least", 0) > 0;
  if (!has_ttl && !has_least && !has("type") && !has("at_most") && !has("keys"))
    add_error(findings, "probe.checks_nothing", invariant.place,
              fmt::format("the invariant \"{}\" holds whatever is there", text_of(invariant, "id")),
              "add type, ttl, keys, at_least: 1 or at_most");
  const std::uint32_t least = integer_of(invariant, "at_least", 0);
  const std::uint32_t most = integer_of(invariant, "at_most", kNoNumber);
  const std::uint32_t keys = integer_of(invariant, "keys", std::clamp(least, std::uint32_t{0}, most));
  if (least > most || (!has("tolerance") && (keys < least || keys > most)))
    add_error(findings, "probe.contradiction", invariant.place,
              fmt::format("the invariant \"{}\" can never hold: no number of keys is all that it asks for",
                          text_of(invariant, "id")),
              "at_least is at most keys, and keys is at most at_most");
}

void check_http(const Plan& plan, const Value& with, Findings& findings) {
  const std::uint32_t status = integer_of(with, "status", 200);
  if (status < 100 || status > 599)
    add_error(findings, "probe.contradiction", place_of(with, "status"), fmt::format("no server answers {}", status),
              "a status is 100 to 599");
  const Target* target = find_target(plan, text_of(with, "target"));
  if (with.find("certificate_days") != nullptr && target != nullptr &&
      text_of(target->settings, "url").starts_with("http://"))
    add_error(findings, "probe.contradiction", place_of(with, "certificate_days"),
              fmt::format("\"{}\" is reached by http://, which has no certificate", target->id),
              "make its url https://, or leave certificate_days out");
}

void check_with(const Plan& plan, std::string_view uses, const Value& with, Findings& findings) {
  const auto has = [&](const char* key) { return with.find(key) != nullptr; };
  for (const Value* invariant : maps_of(with, "invariants")) check_invariant(*invariant, findings);
  if (uses == "probe.keyspace" && maps_of(with, "invariants").empty() && !has("beacon_within"))
    add_error(findings, "probe.checks_nothing", with.place, "the probe asks for nothing: it is up whatever is there",
              "add invariants: [{id: ..., prefix: ..., at_least: 1}], or beacon_within");
  if (uses == "probe.prometheus" && !has("above") && !has("below"))
    add_error(findings, "probe.checks_nothing", with.place, "it is not said which values of the query are bad",
              "add above or below");
  if (uses == "probe.http") check_http(plan, with, findings);
}

void check_probe(const Probe& probe, Findings& findings) {
  if (probe.bad_in_a_row == 0 || probe.good_in_a_row == 0)
    add_error(findings, "probe.in_a_row", probe.place,
              fmt::format("probe \"{}\" needs 0 looks to change its mind", probe.id), "write at least 1");
  if (probe.timeout > probe.every && probe.every > Duration::zero())
    add_error(findings, "probe.timeout", probe.place,
              fmt::format("probe \"{}\" may take {} and runs every {}", probe.id, format_span(probe.timeout),
                          format_span(probe.every)),
              "timeout must not be longer than every");
  const std::set<std::string_view> places(probe.from.begin(), probe.from.end());
  if (places.size() != probe.from.size())
    add_error(findings, "probe.vantage_twice", probe.place,
              fmt::format("probe \"{}\" names a vantage point twice: one opinion would count as two", probe.id),
              "name each site once");
}

}  // namespace

void lint_probes(const Plan& plan, Findings& findings) {
  for (const Probe& probe : plan.probes) {
    check_probe(probe, findings);
    check_with(plan, probe.uses, probe.with, findings);
  }
  for (const Scenario& scenario : plan.scenarios)
    for (const auto* steps : scenario.step_lists())
      for (const Step& step : *steps) check_with(plan, step.uses, step.with, findings);
}

}  // namespace anclora::plan

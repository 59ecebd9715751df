#include "respond/detect/probe_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "plan/model/value_access.h"
#include "redis/client/client.h"
#include "respond/detect/beacon_writer.h"
#include "respond/detect/dns_probe.h"
#include "respond/detect/http_probe.h"
#include "respond/detect/prometheus_probe.h"
#include "respond/detect/redis_probe.h"
#include "respond/detect/tcp_probe.h"

namespace anclora::respond {
namespace {

using plan::text_of;
using plan::Value;

Result<std::string> resolved(const PlanLookup& lookup, const Value& map, std::string_view key) {
  const std::string reference = text_of(map, key);
  if (reference.empty()) return reference;
  ASSIGN_OR_RETURN(const Secret value, lookup.resolve(reference));
  return value.reveal();
}

Result<std::unique_ptr<Probe>> redis_probe(const Value& with, const PlanLookup& lookup, Dialer& dialer, Clock& clock) {
  const plan::Target& target = lookup.target(text_of(with, "target"));
  RedisProbeOptions options;
  ASSIGN_OR_RETURN(options.url, redis_url_of(lookup, target));
  const std::string role = text_of(with, "role");
  options.role = role == "primary"   ? ExpectedRole::kPrimary
                 : role == "replica" ? ExpectedRole::kReplica
                                     : ExpectedRole::kAny;
  options.lag_limit = plan::duration_of(with, "max_replica_lag");
  if (const Value* beacon = target.settings.find("beacon"); beacon != nullptr && plan::boolean_of(with, "write", false))
    options.beacon_key = text_of(*beacon, "key");
  else if (plan::boolean_of(with, "write", false))
    options.beacon_key = "anclora:dr:beacon";
  return std::make_unique<RedisProbe>(std::move(options), dialer, clock);
}

std::string joined(std::string base, const std::string& path) {
  while (!path.empty() && base.ends_with('/')) base.pop_back();
  return path.empty() || path.starts_with('/') ? base + path : base + "/" + path;
}

Result<std::unique_ptr<Probe>> http_probe(const Value& with, const PlanLookup& lookup, Clock& clock) {
  const plan::Target& target = lookup.target(text_of(with, "target"));
  HttpProbeOptions options;
  ASSIGN_OR_RETURN(HttpTarget place, http_target_of(lookup, target));
  options.url = joined(place.url, text_of(with, "path"));
  options.status = static_cast<int>(plan::integer_of(with, "status", 200));
  options.body_contains = text_of(with, "body_contains");
  options.certificate_days = plan::integer_of(with, "certificate_days", 0);
  options.ca_file = place.ca_file;
  options.connect_to = place.connect_to;
  options.headers = std::move(place.headers);
  return std::make_unique<HttpProbe>(std::move(options), clock);
}

Result<std::unique_ptr<Probe>> tcp_probe(const Value& with, const PlanLookup& lookup, Dialer& dialer, Clock& clock) {
  std::string text = text_of(with, "address");
  if (text.empty()) {
    ASSIGN_OR_RETURN(text, resolved(lookup, lookup.target(text_of(with, "target")).settings, "url"));
  } else {
    ASSIGN_OR_RETURN(const Secret address, lookup.resolve(text));
    text = "redis://" + address.reveal();
  }
  if (!text.starts_with("redis")) text = "redis" + text.substr(std::min(text.find("://"), text.size()));
  ASSIGN_OR_RETURN(const redis::RedisUrl url, redis::RedisUrl::parse(text));
  return std::make_unique<TcpProbe>(url.endpoint, dialer, clock);
}

Result<std::unique_ptr<Probe>> prometheus_probe(const Value& with, const PlanLookup& lookup, Clock& clock) {
  const plan::Target& target = lookup.target(text_of(with, "target"));
  PrometheusProbeOptions options;
  ASSIGN_OR_RETURN(HttpTarget place, http_target_of(lookup, target));
  options.url = place.url;
  options.headers = std::move(place.headers);
  options.query = text_of(with, "query");
  options.ca_file = place.ca_file;
  options.connect_to = place.connect_to;
  const bool above = with.find("above") != nullptr;
  if (above == (with.find("below") != nullptr))
    return Error(ErrorKind::kInvalidArgument, "probe.prometheus needs one of \"above\" and \"below\"");
  options.bad_when = above ? Comparison::kAbove : Comparison::kBelow;
  const std::string limit = text_of(with, above ? "above" : "below");
  std::from_chars(limit.data(), limit.data() + limit.size(), options.limit);
  return std::make_unique<PrometheusProbe>(std::move(options), clock);
}

// down: one of the resolvers says so; unknown: one of them does not tell.
class AllOf final : public Probe {
 public:
  explicit AllOf(std::vector<std::pair<std::string, std::unique_ptr<Probe>>> probes) : probes_(std::move(probes)) {}
  Reading look(Duration timeout) override {
    Reading worst;
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      Reading reading = probes_[i].second->look(timeout / static_cast<int>(probes_.size()));
      if (reading.state != ProbeState::kUp && !probes_[i].first.empty())
        reading.reason = probes_[i].first + ": " + reading.reason;
      const bool worse = i == 0 || (worst.state == ProbeState::kUp && reading.state != ProbeState::kUp) ||
                         (worst.state == ProbeState::kUnknown && reading.state == ProbeState::kDown);
      const WallTime first = i == 0 ? reading.at : worst.at;
      const Duration took = (i == 0 ? Duration{} : worst.took) + reading.took;
      if (worse) worst = std::move(reading);
      worst.at = first;
      worst.took = took;
    }
    return worst;
  }

 private:
  std::vector<std::pair<std::string, std::unique_ptr<Probe>>> probes_;
};

// By what is expected: an address asks for addresses, anything else for the name's canonical name.
RecordType record_type_of(const std::vector<std::string>& expected) {
  if (expected.empty()) return RecordType::kA;
  const std::string& first = expected.front();
  if (first.find(':') != std::string::npos) return RecordType::kAaaa;
  return first.find_first_not_of("0123456789.") == std::string::npos ? RecordType::kA : RecordType::kCname;
}

Result<std::unique_ptr<Probe>> dns_probe(const Value& with, const PlanLookup& lookup, Clock& clock) {
  DnsProbeOptions options;
  options.name = text_of(with, "name");
  std::vector<std::string> resolvers = plan::texts_of(with, "resolvers");
  if (const std::string id = text_of(with, "target"); !id.empty()) {
    const plan::Target& target = lookup.target(id);
    if (options.name.empty()) options.name = text_of(target.settings, "name");
    if (resolvers.empty()) resolvers = plan::texts_of(target.settings, "resolvers");
  }
  if (options.name.empty())
    return Error(ErrorKind::kInvalidArgument, "probe.dns has no name to ask for",
                 "give \"name\", or a traffic target that has one");
  options.expected = plan::texts_of(with, "expect");
  options.type = record_type_of(options.expected);
  std::vector<std::pair<std::string, std::unique_ptr<Probe>>> probes;
  if (resolvers.empty()) probes.emplace_back("", std::make_unique<DnsProbe>(options, clock));
  for (const std::string& resolver : resolvers) {
    const bool has_port = std::ranges::count(resolver, ':') == 1;
    auto url = redis::RedisUrl::parse("redis://" + resolver + (has_port ? "" : ":53"));
    if (!url.has_value()) return url.error().with_context("the resolver " + resolver);
    options.server = url->endpoint;
    probes.emplace_back(resolver, std::make_unique<DnsProbe>(options, clock));
  }
  return std::make_unique<AllOf>(std::move(probes));
}

struct BeaconRule {
  std::string key;
  Duration within{};  // zero: not judged
};

// down: a rule is broken, or the beacon is too old or gone. unknown: the server cannot be asked.
class KeyspaceProbe final : public Probe {
 public:
  KeyspaceProbe(redis::RedisUrl url, std::vector<KeyspaceRule> rules, BeaconRule beacon, Dialer& dialer, Clock& clock)
      : url_(std::move(url)), rules_(std::move(rules)), beacon_(std::move(beacon)), dialer_(dialer), clock_(clock) {}
  Reading look(Duration timeout) override {
    Reading reading;
    reading.at = clock_.wall_now();
    const MonoTime start = clock_.mono_now();
    redis::ClientOptions options;
    options.connect_timeout = options.command_timeout = timeout;
    auto client = redis::Client::connect(url_, dialer_, clock_, options);
    if (client.has_value()) judge(check_keyspace(**client, rules_, clock_, start + timeout), reading);
    if (client.has_value() && reading.state == ProbeState::kUp && beacon_.within > Duration::zero())
      judge_beacon(**client, reading);
    if (!client.has_value()) reading.reason = client.error().message();
    reading.took = clock_.mono_now() - start;
    return reading;
  }

 private:
  void judge_beacon(redis::Client& client, Reading& reading) const {
    const auto stored = client.command({"GET", beacon_.key});
    const auto read = stored.has_value() && !stored->is_null()
                          ? Beacon::parse(stored->text)
                          : Result<Beacon>(Error(ErrorKind::kNotFound, "the beacon is not there"));
    reading.state = !stored.has_value() ? ProbeState::kUnknown : ProbeState::kDown;
    reading.reason = !stored.has_value() ? stored.error().message() : read.has_value() ? "" : read.error().message();
    if (!read.has_value()) return;
    const Duration age = reading.at - read->at;
    if (age <= beacon_.within)
      reading.state = ProbeState::kUp;
    else
      reading.reason = fmt::format("the beacon is {} old", format_duration(age));
  }
  static void judge(const Result<std::vector<Violation>>& found, Reading& reading) {
    if (!found.has_value()) {
      reading.reason = found.error().message();
      return;
    }
    reading.state = found->empty() ? ProbeState::kUp : ProbeState::kDown;
    if (!found->empty()) reading.reason = found->front().message;
    reading.facts["violations"] = std::to_string(found->size());
  }
  redis::RedisUrl url_;
  std::vector<KeyspaceRule> rules_;
  const BeaconRule beacon_;
  Dialer& dialer_;
  Clock& clock_;
};

Result<std::unique_ptr<Probe>> keyspace_probe(const Value& with, const PlanLookup& lookup, Dialer& dialer,
                                              Clock& clock) {
  const plan::Target& target = lookup.target(text_of(with, "target"));
  ASSIGN_OR_RETURN(redis::RedisUrl url, redis_url_of(lookup, target));
  ASSIGN_OR_RETURN(std::vector<KeyspaceRule> rules, keyspace_rules_of(with));
  BeaconRule beacon{"", plan::duration_of(with, "beacon_within")};
  if (beacon.within > Duration::zero()) {
    const auto key = beacon_key_of(lookup, target);
    if (!key)
      return Error(ErrorKind::kInvalidArgument, fmt::format("{} has no beacon to judge the age of", target.id),
                   "give the Redis target `beacon`, or leave out beacon_within");
    beacon.key = *key;
  }
  return std::make_unique<KeyspaceProbe>(std::move(url), std::move(rules), std::move(beacon), dialer, clock);
}

}  // namespace

Result<redis::RedisUrl> redis_url_of(const PlanLookup& lookup, const plan::Target& target) {
  ASSIGN_OR_RETURN(const std::string text, resolved(lookup, target.settings, "url"));
  auto url = redis::RedisUrl::parse(text);
  if (!url.has_value()) return url.error().with_context("the url of the target " + target.id);
  if (!text_of(target.settings, "username").empty()) {
    ASSIGN_OR_RETURN(url->user, resolved(lookup, target.settings, "username"));
  }
  if (!text_of(target.settings, "password").empty()) {
    ASSIGN_OR_RETURN(url->password, lookup.resolve(text_of(target.settings, "password")));
  }
  if (url->tls && !text_of(target.settings, "ca_file").empty()) {
    ASSIGN_OR_RETURN(url->tls->ca_file, resolved(lookup, target.settings, "ca_file"));
  }
  return url;
}

Result<HttpTarget> http_target_of(const PlanLookup& lookup, const plan::Target& target) {
  HttpTarget place;
  ASSIGN_OR_RETURN(place.url, resolved(lookup, target.settings, "url"));
  ASSIGN_OR_RETURN(place.connect_to, resolved(lookup, target.settings, "resolve_to"));
  ASSIGN_OR_RETURN(place.ca_file, resolved(lookup, target.settings, "ca_file"));
  for (const Value* header : plan::maps_of(target.settings, "headers")) {
    ASSIGN_OR_RETURN(std::string value, resolved(lookup, *header, "value"));
    place.headers.emplace_back(text_of(*header, "id"), std::move(value));
  }
  return place;
}

Result<std::vector<KeyspaceRule>> keyspace_rules_of(const Value& with) {
  std::vector<KeyspaceRule> rules;
  for (const Value* item : plan::maps_of(with, "invariants")) {
    KeyspaceRule rule;
    rule.id = text_of(*item, "id");
    rule.pattern = text_of(*item, "prefix") + "*";
    rule.type = text_of(*item, "type");
    if (item->find("keys") != nullptr) rule.keys = plan::integer_of(*item, "keys", 0);
    rule.tolerance_percent = plan::percent_of(*item, "tolerance");
    if (rule.tolerance_percent > 0 && !rule.keys)
      return Error(ErrorKind::kInvalidArgument,
                   fmt::format("the invariant \"{}\" has a tolerance and no number of keys", rule.id),
                   "give \"keys\", the number that there should be");
    if (item->find("at_least") != nullptr) rule.at_least = plan::integer_of(*item, "at_least", 0);
    if (item->find("at_most") != nullptr) rule.at_most = plan::integer_of(*item, "at_most", 0);
    const std::string ttl = text_of(*item, "ttl");
    rule.expiry = ttl == "present" ? Expiry::kRequired : ttl == "absent" ? Expiry::kForbidden : Expiry::kAny;
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<std::unique_ptr<Probe>> make_probe(std::string_view uses, const Value& with, const PlanLookup& lookup,
                                          Dialer& dialer, Clock& clock) {
  if (uses == "probe.redis") return redis_probe(with, lookup, dialer, clock);
  if (uses == "probe.http") return http_probe(with, lookup, clock);
  if (uses == "probe.dns") return dns_probe(with, lookup, clock);
  if (uses == "probe.tcp") return tcp_probe(with, lookup, dialer, clock);
  if (uses == "probe.keyspace") return keyspace_probe(with, lookup, dialer, clock);
  if (uses == "probe.prometheus") return prometheus_probe(with, lookup, clock);
  return Error(ErrorKind::kUnsupported, "this version cannot execute " + std::string(uses),
               "anclora plan check names all such steps");
}

}  // namespace anclora::respond

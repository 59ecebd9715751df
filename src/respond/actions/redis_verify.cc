#include "respond/actions/redis_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "plan/model/value_access.h"
#include "respond/actions/redis_server.h"
#include "respond/detect/beacon.h"
#include "respond/detect/beacon_writer.h"
#include "respond/detect/probe_maker.h"
#include "storage/journal/position.h"

namespace anclora::respond {
namespace {

// A server that holds writes this much younger than its beacon shows that the beacon was not being written, as when
// neither serve nor detect runs. Its age would be told as a loss that there was not.
constexpr Duration kStale = std::chrono::seconds(30);

class VerifyAction final : public Action {
 public:
  explicit VerifyAction(Dialer& dialer) : dialer_(dialer) {}

  Result<Observation> probe(StepContext& context) override {
    Observation seen;
    seen.done = Done::kNo;
    seen.desired = "a primary in order";
    ASSIGN_OR_RETURN(const std::string id, server_named_by(context, "target"));
    seen.call = "ROLE, INFO, a write and its keys, on " + id;
    const auto outcome = execute(context);
    seen.current = outcome.has_value() ? outcome->summary : outcome.error().message();
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const std::string id, server_named_by(context, "target"));
    const plan::Target& target = context.target(id);
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, target));
    ASSIGN_OR_RETURN(const auto client, connect_to(context, dialer_, url));
    ASSIGN_OR_RETURN(const redis::Info info, client->info());
    RETURN_IF_ERROR(judge(info, id));
    std::uint64_t keys = 0;
    for (const redis::Keyspace& keyspace : info.keyspaces()) keys += keyspace.keys;
    if (const std::uint32_t least = plan::integer_of(context.step().with, "min_keys", 0); keys < least)
      return Error(ErrorKind::kFailedPrecondition,
                   fmt::format("{} holds {} keys, at least {} are expected", id, keys, least));
    Outcome outcome{fmt::format("{} is a primary with {} keys", id, keys),
                    {{"target", id}, {"keys", std::to_string(keys)}}};
    RETURN_IF_ERROR(judge_point(context, id, outcome));
    RETURN_IF_ERROR(check_invariants(context, *client));
    RETURN_IF_ERROR(read_beacon(context, *client, target, outcome));
    return outcome;
  }

  Status verify(StepContext&) override { return {}; }
  Result<Outcome> undo(StepContext&) override { return Outcome{"nothing was changed", {}}; }

 private:
  static Status judge(const redis::Info& info, const std::string& id) {
    if (info.loading()) return Error(ErrorKind::kUnavailable, id + " is loading its dataset");
    if (!info.is_primary()) return Error(ErrorKind::kFailedPrecondition, id + " is a replica, not a primary");
    if (info.number("unexpected_error_replies").value_or(0) > 0)
      return Error(ErrorKind::kDataLoss, id + " met errors while it followed its primary: its dataset is in doubt",
                   "compare its digest: anclora verify --restore, or restore again");
    return {};
  }

  // Those of the probe.keyspace that the step names.
  static Status check_invariants(StepContext& context, redis::Client& client) {
    const std::string id = plan::text_of(context.step().with, "invariants");
    if (id.empty()) return {};
    const auto& probes = context.plan().probes;
    const auto found = std::ranges::find(probes, id, &plan::Probe::id);
    if (found == probes.end()) return Error(ErrorKind::kNotFound, fmt::format("the plan has no probe \"{}\"", id));
    ASSIGN_OR_RETURN(const auto rules, keyspace_rules_of(found->with));
    ASSIGN_OR_RETURN(const auto violations, check_keyspace(client, rules, context.clock(), context.deadline()));
    if (violations.empty()) return {};
    return Error(ErrorKind::kDataLoss, violations.front().message,
                 fmt::format("{} of the invariants of {} do not hold", violations.size(), id));
  }

  // What the step that filled or promoted the server says of it, against the point that was chosen.
  static Status judge_point(StepContext& context, const std::string& id, Outcome& outcome) {
    const std::string step = plan::text_of(context.step().with, "point");
    if (step.empty()) return {};
    ASSIGN_OR_RETURN(const Outputs chosen, context.outputs_of(step));
    ASSIGN_OR_RETURN(const storage::Position point, storage::parse_position(found(chosen, "position")));
    std::vector<std::string> steps = plan::texts_of(context.step().with, "from");
    steps.insert(steps.end(), context.step().needs.begin(), context.step().needs.end());
    for (const std::string& made_by : steps) {
      const auto made = context.outputs_of(made_by);
      if (!made.has_value() || found(*made, "target") != id) continue;
      if (const std::string position = found(*made, "position"); !position.empty()) {
        if (position == to_string(point)) {
          outcome.outputs["holds_until"] = found(chosen, "time");
          return {};
        }
        return Error(ErrorKind::kDataLoss,
                     fmt::format("{} holds {}, not the chosen {}", id, position, to_string(point)), "restore it again");
      }
      if (!found(*made, "offset").empty()) return judge_offset(context, id, *made, chosen, point, outcome);
    }
    context.note(fmt::format("no step tells which point {} holds: it is not compared with {}", id, to_string(point)));
    return {};
  }
  static Status judge_offset(StepContext& context, const std::string& id, const Outputs& made, const Outputs& chosen,
                             const storage::Position& point, Outcome& outcome) {
    const std::string stream = found(made, "replication_id");
    std::uint64_t offset = 0;
    const std::string text = found(made, "offset");
    std::from_chars(text.data(), text.data() + text.size(), offset);
    if (stream.empty() || stream != found(chosen, "replication_id")) {
      context.note(fmt::format("{} followed another stream than {}: they are not compared", id, to_string(point)));
    } else if (offset >= point.offset.value) {
      outcome.outputs["rpo_writes"] = "0";  // of those that are protected
      outcome.outputs["holds_until"] = found(chosen, "time");
    } else {
      const std::uint64_t behind = point.offset.value - offset;
      outcome.outputs["rpo_bytes"] = std::to_string(behind);
      context.note(
          fmt::format("{} lacks {} bytes of the stream that are protected up to {}", id, behind, to_string(point)));
    }
    return {};
  }
  static std::string found(const Outputs& outputs, const char* name) {
    const auto at = outputs.find(name);
    return at == outputs.end() ? std::string() : at->second;
  }

  static Status read_beacon(StepContext& context, redis::Client& client, const plan::Target& target, Outcome& outcome) {
    const auto key = beacon_key_of(lookup_of(context), target);
    if (!key) return {};
    ASSIGN_OR_RETURN(const redis::Reply reply, client.command({"GET", *key}));
    if (reply.is_null()) return {};
    ASSIGN_OR_RETURN(const Beacon read, Beacon::parse(reply.text));
    outcome.outputs["beacon_at"] = format_rfc3339(read.at);
    outcome.outputs["beacon_beat"] = std::to_string(read.beat);
    outcome.summary += ", beacon of " + format_rfc3339(read.at);
    const auto out = context.outage_began();
    if (!out || *out < read.at) return {};  // younger than the outage: somebody has written it here since
    WallTime kept = read.at;
    if (const auto until = parse_rfc3339(found(outcome.outputs, "holds_until")); until && *until > read.at + kStale) {
      context.note(fmt::format("nobody wrote the beacon in the {} before {}: the loss counts from there",
                               format_duration(*until - read.at), format_rfc3339(*until)));
      kept = std::min(*until, *out);
    }
    outcome.outputs["rpo_seconds"] = fmt::format("{:.3f}", static_cast<double>((*out - kept).count()) / 1e6);
    return {};
  }

  Dialer& dialer_;
};

}  // namespace

std::unique_ptr<Action> make_redis_verify(Dialer& dialer) { return std::make_unique<VerifyAction>(dialer); }

}  // namespace anclora::respond

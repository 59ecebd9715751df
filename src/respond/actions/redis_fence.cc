#include "respond/actions/redis_fence.h"

#include <fmt/format.h>

#include <string>

#include "plan/model/value_access.h"
#include "respond/actions/redis_server.h"

namespace anclora::respond {
namespace {

constexpr std::string_view kSetting = "min-replicas-to-write";
constexpr std::string_view kFenced = "1000000";  // no server has as many replicas
constexpr std::string_view kPauseMs = "86400000";

bool is_away(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDeadlineExceeded;
}

// Whether a client's write is refused or held up now: asked by a write of a key that nobody uses.
enum class Writes : std::uint8_t { kTaken, kRefused };
Result<Writes> try_write(redis::Client& client) {
  const auto reply = client.command({"SET", "anclora:fence:probe", "1", "PX", "1"}, std::chrono::milliseconds(500));
  if (reply.has_value()) return Writes::kTaken;
  if (reply.error().kind() == ErrorKind::kDeadlineExceeded) return Writes::kRefused;  // held up by CLIENT PAUSE
  const std::string& message = reply.error().message();
  if (message.find("NOREPLICAS") != std::string::npos || message.find("READONLY") != std::string::npos)
    return Writes::kRefused;
  return reply.error();
}

class FenceAction final : public Action {
 public:
  FenceAction(Dialer& dialer, bool fence) : dialer_(dialer), fence_(fence) {}

  Result<Observation> probe(StepContext& context) override {
    Observation seen;
    const std::string id = plan::text_of(context.step().with, "target");
    seen.desired = fence_ ? "refuses writes" : "takes writes";
    seen.call = fmt::format("CONFIG SET {} {} on {}", kSetting, fence_ ? kFenced : "(its former value)", id);
    auto client = connect(context);
    if (!client.has_value()) {
      if (!is_away(client.error())) return client.error();
      seen.current = "does not answer: " + client.error().message();
      seen.done = Done::kNo;
      return seen;
    }
    // Only asked, not tried: a probe and a dry run write nothing. A pause cannot be seen; both may be repeated.
    const auto setting = (*client)->config_get(kSetting);
    const bool ours = setting.has_value() && *setting == kFenced;
    seen.current = setting.has_value() ? fmt::format("has {} {}", kSetting, *setting) : setting.error().message();
    seen.done = fence_ && ours ? Done::kYes : Done::kNo;
    if (seen.done == Done::kYes) seen.outputs = {{"target", id}, {"fenced", "yes"}, {"method", "min-replicas"}};
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    const std::string id = plan::text_of(context.step().with, "target");
    auto client = connect(context);
    if (!client.has_value()) {
      if (!fence_ || !is_away(client.error()) || plan::text_of(context.step().with, "if_unreachable") != "record")
        return client.error().with_context("the server " + id);
      context.note(fmt::format("{} does not answer and could not be fenced: fence it before it serves again", id));
      return Outcome{id + " does not answer; recorded as not fenced",
                     {{"target", id}, {"fenced", "unreachable"}, {"method", "none"}}};
    }
    return fence_ ? fence(context, **client, id) : unfence(context, **client, id, {});
  }

  Status verify(StepContext& context) override {
    auto client = connect(context);
    if (!client.has_value()) {
      const bool recorded =
          fence_ && is_away(client.error()) && plan::text_of(context.step().with, "if_unreachable") == "record";
      return recorded ? Status() : Status(client.error());
    }
    ASSIGN_OR_RETURN(const Writes writes, try_write(**client));
    if ((writes == Writes::kRefused) == fence_) return {};
    return Error(ErrorKind::kFailedPrecondition,
                 fence_ ? "the server still takes writes" : "the server still refuses writes",
                 fence_ ? "its user may lack the right to CONFIG SET; cut it off otherwise (a firewall, stop it)"
                        : "look at min-replicas-to-write, CLIENT PAUSE and its role");
  }

  Result<Outcome> undo(StepContext& context) override {
    ASSIGN_OR_RETURN(auto client, connect(context));
    const std::string id = plan::text_of(context.step().with, "target");
    return fence_ ? unfence(context, *client, id, context.kept()) : fence(context, *client, id);
  }

 private:
  Result<std::unique_ptr<redis::Client>> connect(StepContext& context) {
    const plan::Target& target = context.target(plan::text_of(context.step().with, "target"));
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, target));
    return connect_to(context, dialer_, url);
  }

  Result<Outcome> fence(StepContext& context, redis::Client& client, const std::string& id) {
    const std::string method = plan::text_of(context.step().with, "method", "auto");
    if (method == "acl")
      return Error(ErrorKind::kUnsupported, "this version does not fence by ACL", "use method: auto");
    if (method != "pause") {
      const auto before = client.config_get(kSetting);
      if (before.has_value()) {
        if (*before != kFenced) RETURN_IF_ERROR(context.keep(kSetting, *before));
        RETURN_IF_ERROR(context.before_change(fmt::format("fence {}: CONFIG SET {} {}", id, kSetting, kFenced)));
        RETURN_IF_ERROR(set(client, kFenced));
        persist(context, client, id);
        return Outcome{id + " takes no writes any more",
                       {{"target", id}, {"fenced", "yes"}, {"method", "min-replicas"}}};
      }
      if (method == "min-replicas") return before.error();
      context.note(
          fmt::format("{} does not let us CONFIG ({}); its writes are paused instead", id, before.error().message()));
    }
    RETURN_IF_ERROR(context.before_change(fmt::format("fence {}: CLIENT PAUSE {} WRITE", id, kPauseMs)));
    ASSIGN_OR_RETURN(const auto paused, client.command({"CLIENT", "PAUSE", kPauseMs, "WRITE"}));
    static_cast<void>(paused);
    return Outcome{id + " holds up every write for a day", {{"target", id}, {"fenced", "yes"}, {"method", "pause"}}};
  }

  Result<Outcome> unfence(StepContext& context, redis::Client& client, const std::string& id, const Outputs& kept) {
    // A step of its own does not know the former value: 0 is the server's default, and the timeline says so.
    const auto old = kept.find(std::string(kSetting));
    const std::string value = old == kept.end() ? "0" : old->second;
    RETURN_IF_ERROR(context.before_change(fmt::format("unfence {}: CONFIG SET {} {}", id, kSetting, value)));
    const auto unpaused = client.command({"CLIENT", "UNPAUSE"});
    const auto setting = client.config_get(kSetting);
    if (setting.has_value() && *setting == kFenced) {
      if (old == kept.end())
        context.note(fmt::format("{} of {} is now 0; what it was before the fence is not known here", kSetting, id));
      RETURN_IF_ERROR(set(client, value));
      persist(context, client, id);
    } else if (!setting.has_value() && !unpaused.has_value()) {
      return unpaused.error();
    }
    return Outcome{id + " takes writes again", {{"target", id}}};
  }

  static Status set(redis::Client& client, std::string_view value) {
    ASSIGN_OR_RETURN(const auto reply, client.command({"CONFIG", "SET", kSetting, value}));
    static_cast<void>(reply);
    return {};
  }

  // Into its configuration file, so that a restart does not lift the fence.
  static void persist(StepContext& context, redis::Client& client, const std::string& id) {
    if (const auto written = client.command({"CONFIG", "REWRITE"}); !written.has_value())
      context.note(fmt::format("the fence of {} does not survive its restart: {}", id, written.error().message()));
  }

  Dialer& dialer_;
  bool fence_;
};

}  // namespace

std::unique_ptr<Action> make_redis_fence(Dialer& dialer) { return std::make_unique<FenceAction>(dialer, true); }
std::unique_ptr<Action> make_redis_unfence(Dialer& dialer) { return std::make_unique<FenceAction>(dialer, false); }

}  // namespace anclora::respond

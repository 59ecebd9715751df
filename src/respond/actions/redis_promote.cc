#include "respond/actions/redis_promote.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plan/model/value_access.h"
#include "respond/actions/redis_server.h"

namespace anclora::respond {
namespace {

constexpr Duration kFollowPoll = std::chrono::milliseconds(50);

// Why it may not be promoted; empty when it may.
std::string unfitness(const Candidate& candidate, Duration max_lag) {
  if (!candidate.info) return candidate.trouble;
  const redis::Info& info = *candidate.info;
  if (!info.is_replica()) return "is no replica";
  if (info.loading()) return "is loading its dataset";
  if (info.syncing()) return "is in the middle of a synchronisation: its dataset is not whole";
  if (!info.offset() || info.offset()->value == 0) return "has never synchronised";
  if (max_lag <= Duration::zero()) return {};
  // While the link is up: since the last byte. After it broke: how long it had heard nothing then is not told; a link
  // that is down since the disaster is no lag.
  const auto silent = std::chrono::seconds(info.number("master_last_io_seconds_ago").value_or(0));
  if (info.link_up() && silent > max_lag)
    return fmt::format("has heard nothing from its primary for {} s", silent.count());
  return {};
}

class PromoteAction final : public Action {
 public:
  explicit PromoteAction(Dialer& dialer) : dialer_(dialer) {}

  Result<Observation> probe(StepContext& context) override {
    Observation seen;
    seen.desired = "one of them is the primary";
    std::vector<std::string> said, why;
    const auto candidates = survey(context);
    for (const Candidate& candidate : candidates)
      said.push_back(candidate.target + " " + (candidate.info ? describe(*candidate.info) : candidate.trouble));
    seen.current = fmt::format("{}", fmt::join(said, "; "));
    // Promoted by this step before it was interrupted?
    const Outputs kept = context.kept();
    if (const auto chosen = kept.find("chosen"); chosen != kept.end()) {
      for (const Candidate& candidate : candidates)
        if (candidate.target == chosen->second && candidate.info && candidate.info->is_primary()) {
          seen.done = Done::kYes;
          ASSIGN_OR_RETURN(seen.outputs, outputs_for(context, candidate));
          return seen;
        }
    }
    seen.done = Done::kNo;
    const auto best = fittest(candidates, plan::duration_of(context.step().with, "max_lag"), why);
    seen.call = best ? "REPLICAOF NO ONE on " + candidates[*best].target
                     : fmt::format("nothing: no replica is fit ({})", fmt::join(why, "; "));
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    const auto candidates = survey(context);
    std::vector<std::string> why;
    const auto best = fittest(candidates, plan::duration_of(context.step().with, "max_lag"), why);
    if (!best) {
      const std::string reasons = fmt::format("{}", fmt::join(why, "; "));
      if (plan::text_of(context.step().with, "if_none") == "continue")
        return Outcome{"no replica is fit: " + reasons, {{"found", "no"}}};
      return Error(ErrorKind::kFailedPrecondition, "no replica is fit to be promoted: " + reasons,
                   "restore into a new server instead (redis.restore), or mend a replica and retry");
    }
    const Candidate& chosen = candidates[*best];
    ASSIGN_OR_RETURN(auto client, connect(context, chosen.target));
    RETURN_IF_ERROR(context.keep("chosen", chosen.target));
    RETURN_IF_ERROR(context.before_change("promote " + chosen.target + ": REPLICAOF NO ONE"));
    ASSIGN_OR_RETURN(const auto reply, client->command({"REPLICAOF", "NO", "ONE"}));
    static_cast<void>(reply);
    ASSIGN_OR_RETURN(Outputs outputs, outputs_for(context, chosen));
    return Outcome{
        fmt::format("{} is the primary, with the stream up to {}", chosen.target, chosen.info->offset()->value),
        std::move(outputs)};
  }

  Status verify(StepContext& context) override {
    const Outputs kept = context.kept();
    const auto chosen = kept.find("chosen");
    if (chosen == kept.end()) return {};  // nobody was fit, and the plan goes on without
    ASSIGN_OR_RETURN(auto client, connect(context, chosen->second));
    ASSIGN_OR_RETURN(const redis::Info info, client->info());
    if (info.is_primary()) return {};
    return Error(ErrorKind::kFailedPrecondition, chosen->second + " is not a primary after its promotion",
                 "look whether a Sentinel or another tool made it a replica again");
  }

  Result<Outcome> undo(StepContext&) override {
    return Error(ErrorKind::kUnsupported, "a promotion is not undone: what clients wrote since would be lost",
                 "make the old server a replica of the new one instead");
  }

  // Of several nobody knows which.
  Outputs left_by_hand(const plan::Step& step) const override {
    const std::vector<std::string> candidates = plan::texts_of(step.with, "candidates");
    return candidates.size() == 1 ? Outputs{{"target", candidates.front()}} : Outputs{};
  }

 private:
  Result<std::unique_ptr<redis::Client>> connect(StepContext& context, const std::string& target) {
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(target)));
    return connect_to(context, dialer_, url);
  }
  std::vector<Candidate> survey(StepContext& context) {
    std::vector<Candidate> candidates;
    for (const std::string& target : plan::texts_of(context.step().with, "candidates")) {
      Candidate candidate{target, {}, {}};
      auto client = connect(context, target);
      if (client.has_value()) {
        if (auto info = (*client)->info(); info.has_value())
          candidate.info = std::move(*info);
        else
          candidate.trouble = info.error().message();
      } else {
        candidate.trouble = client.error().message();
      }
      candidates.push_back(std::move(candidate));
    }
    return candidates;
  }
  static std::string describe(const redis::Info& info) {
    return fmt::format("is a {} at {}", info.is_replica() ? "replica" : "primary",
                       info.offset() ? info.offset()->value : 0);
  }
  // second_repl_offset is one after it.
  static std::uint64_t end_of_former_stream(const redis::Info& info) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(1, info.number("second_repl_offset").value_or(1)) - 1);
  }
  static Result<Outputs> outputs_for(StepContext& context, const Candidate& chosen) {
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(chosen.target)));
    std::uint64_t offset = chosen.info && chosen.info->offset() ? chosen.info->offset()->value : 0;
    // As a replica it has its primary's id; once it is promoted, that is its second one.
    const bool promoted = chosen.info && chosen.info->is_primary();
    if (promoted) offset = end_of_former_stream(*chosen.info);
    const auto id = chosen.info ? chosen.info->text(promoted ? "master_replid2" : "master_replid") : std::nullopt;
    return Outputs{{"target", chosen.target},
                   {"url", url.to_string()},
                   {"offset", std::to_string(offset)},
                   {"replication_id", std::string(id.value_or(""))},
                   {"found", "yes"}};
  }

  Dialer& dialer_;
};

class SwitchAction final : public Action {
 public:
  explicit SwitchAction(Dialer& dialer) : dialer_(dialer) {}

  Result<Observation> probe(StepContext& context) override {
    ASSIGN_OR_RETURN(const std::string to, server_named_by(context, "to"));
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(to)));
    Observation seen;
    seen.desired = fmt::format("{} serves as primary, its replicas follow it", to);
    seen.done = Done::kYes;
    std::vector<std::string> said;
    for (const std::string& replica : followers(context, to)) {
      auto state = following(context, replica, url);
      const bool follows = state.has_value() && *state;
      if (!follows) seen.done = Done::kNo;
      said.push_back(fmt::format("{} {}", replica, follows ? "follows it" : "does not follow it"));
    }
    seen.current = said.empty() ? "no replica is to follow" : fmt::format("{}", fmt::join(said, "; "));
    seen.call = "REPLICAOF " + url.endpoint.to_string();
    seen.outputs = {{"target", to}, {"url", url.to_string()}};
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const std::string to, server_named_by(context, "to"));
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(to)));
    std::vector<std::string> done;
    for (const std::string& replica : followers(context, to)) {
      ASSIGN_OR_RETURN(auto client, connect(context, replica));
      ASSIGN_OR_RETURN(const redis::Info info, client->info());
      RETURN_IF_ERROR(context.keep("primary_of_" + replica, primary_of(info)));
      RETURN_IF_ERROR(context.before_change(fmt::format("{} follows {}", replica, to)));
      if (!url.password.empty()) {
        ASSIGN_OR_RETURN(const auto set, client->command({"CONFIG", "SET", "masterauth", url.password.reveal()}));
        static_cast<void>(set);
      }
      ASSIGN_OR_RETURN(const auto reply,
                       client->command({"REPLICAOF", url.endpoint.host, std::to_string(url.endpoint.port)}));
      static_cast<void>(reply);
      done.push_back(replica);
    }
    return Outcome{fmt::format("{} serves; {} follow it", to, done.size()),
                   {{"target", to}, {"url", url.to_string()}, {"followers", fmt::format("{}", fmt::join(done, " "))}}};
  }

  Status verify(StepContext& context) override {
    ASSIGN_OR_RETURN(const std::string to, server_named_by(context, "to"));
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(to)));
    for (const std::string& replica : followers(context, to)) {
      while (true) {
        const auto state = following(context, replica, url);
        if (state.has_value() && *state) break;
        if (context.cancelled() || context.clock().mono_now() >= context.deadline())
          return Error(ErrorKind::kDeadlineExceeded, replica + " does not follow " + to,
                       "look at its log: the new primary must be reachable from it");
        context.clock().sleep_for(kFollowPoll);
      }
    }
    return {};
  }

  Result<Outcome> undo(StepContext& context) override {
    for (const auto& [name, primary] : context.kept()) {
      constexpr std::string_view kPrefix = "primary_of_";
      if (!name.starts_with(kPrefix)) continue;
      const std::string replica = name.substr(kPrefix.size());
      const std::size_t space = primary.find(' ');
      ASSIGN_OR_RETURN(auto client, connect(context, replica));
      RETURN_IF_ERROR(context.before_change("REPLICAOF " + primary + " on " + replica));
      ASSIGN_OR_RETURN(const auto reply, client->command({"REPLICAOF", std::string_view(primary).substr(0, space),
                                                          std::string_view(primary).substr(space + 1)}));
      static_cast<void>(reply);
    }
    return Outcome{"the replicas follow whom they followed before", {}};
  }

 private:
  Result<std::unique_ptr<redis::Client>> connect(StepContext& context, const std::string& target) {
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(target)));
    return connect_to(context, dialer_, url);
  }
  static std::vector<std::string> followers(StepContext& context, const std::string& to) {
    std::vector<std::string> replicas = plan::texts_of(context.step().with, "replicas");
    std::erase(replicas, to);
    return replicas;
  }
  static std::string primary_of(const redis::Info& info) {
    if (!info.is_replica()) return "NO ONE";
    return fmt::format("{} {}", info.text("master_host").value_or(""), info.number("master_port").value_or(0));
  }
  Result<bool> following(StepContext& context, const std::string& replica, const redis::RedisUrl& primary) {
    ASSIGN_OR_RETURN(auto client, connect(context, replica));
    ASSIGN_OR_RETURN(const redis::Info info, client->info());
    return info.link_up() && !info.loading() &&
           primary_of(info) == fmt::format("{} {}", primary.endpoint.host, primary.endpoint.port);
  }

  Dialer& dialer_;
};

}  // namespace

std::optional<std::size_t> fittest(const std::vector<Candidate>& candidates, Duration max_lag,
                                   std::vector<std::string>& why) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (const std::string reason = unfitness(candidates[i], max_lag); !reason.empty()) {
      why.push_back(candidates[i].target + " " + reason);
      continue;
    }
    if (!best || *candidates[i].info->offset() > *candidates[*best].info->offset()) best = i;
  }
  return best;
}

std::unique_ptr<Action> make_redis_promote(Dialer& dialer) { return std::make_unique<PromoteAction>(dialer); }
std::unique_ptr<Action> make_redis_switch(Dialer& dialer) { return std::make_unique<SwitchAction>(dialer); }

}  // namespace anclora::respond

#include "respond/actions/redis_evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/write_file.h"
#include "plan/model/value_access.h"
#include "protect/restore/restore_plan.h"
#include "protect/restore/when.h"
#include "respond/actions/redis_server.h"
#include "respond/actions/server_copy.h"
#include "respond/detect/probe_maker.h"
#include "storage/repository/pin.h"

namespace anclora::respond {
namespace {

constexpr std::string_view kRewrite = "auto-aof-rewrite-percentage";
constexpr Duration kProtectedWithin = std::chrono::seconds(10);
constexpr Duration kPoll = std::chrono::milliseconds(100);
using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

// A tag's and a folder's name: what is not plain becomes '-'.
std::string plain_name(std::string name) {
  constexpr std::size_t kLongest = 63;
  for (char& c : name)
    if (std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-").find(c) ==
        std::string_view::npos)
      c = '-';
  return name.substr(name.size() > kLongest ? name.size() - kLongest : 0);
}

class EvidenceAction final : public Action {
 public:
  EvidenceAction(OpenRepository open, FileSystem& files, Random& random, Dialer& dialer)
      : open_(std::move(open)), files_(files), random_(random), dialer_(dialer) {}

  Result<Observation> probe(StepContext& context) override {
    const std::string id = target_id(context);
    Observation seen;
    seen.done = Done::kNo;  // what is there already is kept; a repeated attempt adds what is missing
    seen.desired = "its state is kept";
    seen.call = fmt::format("copy what {} says of itself{}", id,
                            text(context, "repository").empty() ? "" : ", pin the newest recovery point");
    ASSIGN_OR_RETURN(const auto client, connect(context));
    ASSIGN_OR_RETURN(const redis::Info info, client->info());
    seen.current = fmt::format("{} answers, at offset {}", id, info.offset() ? info.offset()->value : 0);
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const auto client, connect(context));
    Outcome outcome;
    RETURN_IF_ERROR(keep_history(context, *client));
    if (!text(context, "to").empty()) {
      RETURN_IF_ERROR(write_files(context, *client, outcome));
      if (rdb_limit(context) > 0) RETURN_IF_ERROR(keep_rdb(context, outcome));
    }
    if (!text(context, "repository").empty()) RETURN_IF_ERROR(pin(context, *client, outcome));
    outcome.summary = fmt::format(
        "{} is kept as it is: {}{}{}", target_id(context), outcome.outputs["folder"],
        outcome.outputs.contains("rdb") ? fmt::format(" with server.rdb ({} bytes)", outcome.outputs["rdb_bytes"]) : "",
        outcome.outputs.contains("tag") ? " tag " + outcome.outputs["tag"] : "");
    return outcome;
  }

  Status verify(StepContext& context) override {
    if (text(context, "to").empty()) return {};
    ASSIGN_OR_RETURN(const std::string folder, folder_of(context));
    return files_.stat(folder + "/info.txt").has_value()
               ? Status()
               : Status(Error(ErrorKind::kNotFound, folder + "/info.txt is not there"));
  }

  Result<Outcome> undo(StepContext&) override {
    return Error(ErrorKind::kUnsupported, "evidence is kept", "the rewrites: CONFIG SET auto-aof-rewrite-percentage");
  }

 private:
  static std::string text(StepContext& context, const char* key) { return plan::text_of(context.step().with, key); }
  static std::string target_id(StepContext& context) { return text(context, "target"); }
  Result<std::unique_ptr<redis::Client>> connect(StepContext& context) {
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(target_id(context))));
    return connect_to(context, dialer_, url);
  }
  static Result<std::string> folder_of(StepContext& context) {
    ASSIGN_OR_RETURN(const Secret to, context.resolve(text(context, "to")));
    return to.reveal() + "/" + plain_name(context.run_id() + "-" + context.step().id);
  }

  // A rewrite would leave only the damaged state in the append-only file.
  static Status keep_history(StepContext& context, redis::Client& client) {
    const auto before = client.config_get(kRewrite);
    if (!before.has_value()) {
      context.note("its append-only file may still be rewritten: " + before.error().message());
      return {};
    }
    if (*before == "0") return {};
    RETURN_IF_ERROR(context.keep(kRewrite, *before));
    RETURN_IF_ERROR(context.before_change(fmt::format("CONFIG SET {} 0 on {}", kRewrite, target_id(context))));
    const auto set = client.command({"CONFIG", "SET", kRewrite, "0"});
    if (!set.has_value()) context.note("its append-only file may still be rewritten: " + set.error().message());
    return {};
  }

  // The first copy counts: what an earlier attempt wrote is closer to the disaster.
  Status write_once(const std::string& path, ByteView bytes) {
    if (files_.stat(path).has_value()) return {};
    const std::string part = path + ".part";  // of an attempt that was killed on the way
    if (files_.stat(part).has_value()) RETURN_IF_ERROR(files_.remove(part));
    RETURN_IF_ERROR(write_file(files_, part, bytes));
    return files_.rename(part, path);
  }

  Status write_files(StepContext& context, redis::Client& client, Outcome& outcome) {
    ASSIGN_OR_RETURN(const std::string folder, folder_of(context));
    RETURN_IF_ERROR(context.before_change("write " + folder));
    RETURN_IF_ERROR(files_.create_directories(folder));
    std::uint64_t written = 0;
    const auto copy = [&](const char* name, Result<std::string> what) -> Status {
      if (!what.has_value()) {
        context.note(fmt::format("{} is not kept: {}", name, what.error().message()));
        return {};
      }
      ++written;
      return write_once(folder + "/" + name, *what);
    };
    RETURN_IF_ERROR(copy("info.txt", reply_text(client.command({"INFO", "everything"}))));
    RETURN_IF_ERROR(copy("clients.txt", reply_text(client.command({"CLIENT", "LIST"}))));
    RETURN_IF_ERROR(copy("configuration.json", configuration(client)));
    RETURN_IF_ERROR(copy("users.txt", users(client)));
    if (!text(context, "invariants").empty()) RETURN_IF_ERROR(copy("damage.json", damage(context, client)));
    outcome.outputs["folder"] = folder;
    outcome.outputs["files"] = std::to_string(written);
    return files_.sync_directory(folder);
  }

  static std::uint64_t rdb_limit(StepContext& context) {
    return std::uint64_t{plan::integer_of(context.step().with, "rdb_max_mib", 0)} * kMiB;
  }
  // Where it cannot be had in its bounds, the recovery goes on without: it is told.
  Status keep_rdb(StepContext& context, Outcome& outcome) {
    ASSIGN_OR_RETURN(const std::string folder, folder_of(context));
    const std::string path = folder + "/server.rdb";
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, context.target(target_id(context))));
    ASSIGN_OR_RETURN(const std::uint64_t free, files_.free_bytes(folder));
    const MonoTime now = context.clock().mono_now();
    const Duration half = (context.deadline() - now) / 2;  // the rest of the step needs time too
    const Duration within = plan::duration_of(context.step().with, "rdb_within");
    const ServerCopyLimits limits{std::min(rdb_limit(context), free / 2),
                                  now + (within > Duration::zero() ? std::min(within, half) : half)};
    RETURN_IF_ERROR(context.before_change("write " + path));
    const auto copy = copy_server(context, files_, dialer_, url, path, limits);
    if (!copy.has_value()) {
      context.note("server.rdb is not kept: " + copy.error().message());
      return {};
    }
    outcome.outputs["rdb"] = path;
    outcome.outputs["rdb_bytes"] = std::to_string(copy->bytes);
    return {};
  }

  static Result<std::string> reply_text(Result<redis::Reply> reply) {
    if (!reply.has_value()) return reply.error();
    return std::move(reply->text);
  }
  static Result<std::string> configuration(redis::Client& client) {
    ASSIGN_OR_RETURN(const redis::Reply reply, client.command({"CONFIG", "GET", "*"}));
    const std::vector<std::string> words = reply.texts();
    Json json = Json::object();
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
      const bool secret = words[i].find("pass") != std::string::npos || words[i].find("auth") != std::string::npos;
      json[words[i]] = secret && !words[i + 1].empty() ? "***" : words[i + 1];
    }
    return dumped(json);
  }
  static Result<std::string> users(redis::Client& client) {
    ASSIGN_OR_RETURN(const redis::Reply reply, client.command({"ACL", "LIST"}));
    std::string lines;
    for (const std::string& line : reply.texts()) lines += masked_acl_line(line) + "\n";
    return lines;
  }
  static Result<std::string> damage(StepContext& context, redis::Client& client) {
    const auto& probes = context.plan().probes;
    const auto found = std::ranges::find(probes, text(context, "invariants"), &plan::Probe::id);
    if (found == probes.end()) return Error(ErrorKind::kNotFound, "the plan has no such probe");
    ASSIGN_OR_RETURN(const auto rules, keyspace_rules_of(found->with));
    ASSIGN_OR_RETURN(const auto violations, check_keyspace(client, rules, context.clock(), context.deadline()));
    Json json = Json::array();
    for (const Violation& violation : violations)
      json.push_back({{"invariant", violation.rule},
                      {"message", violation.message},
                      {"keys", violation.keys},
                      {"examples", violation.examples}});
    return dumped(json);
  }

  // Waits until capture has what the server has; where it does not come to that, what is there is pinned.
  Status pin(StepContext& context, redis::Client& client, Outcome& outcome) {
    ASSIGN_OR_RETURN(const redis::Info info, client.info("replication"));
    const std::uint64_t reached = info.offset() ? info.offset()->value : 0;
    const MonoTime until = std::min(context.clock().mono_now() + kProtectedWithin, context.deadline());
    while (true) {
      ASSIGN_OR_RETURN(const ChosenSource chosen, choose_source(context, open_));
      ASSIGN_OR_RETURN(const protect::When latest, protect::parse_when("latest"));
      const WallTime now = context.clock().wall_now();
      ASSIGN_OR_RETURN(const protect::RecoveryPoint point, protect::resolve(chosen.view(), latest, now));
      const bool whole = point.position.offset.value >= reached;
      if (!whole && !context.cancelled() && context.clock().mono_now() + kPoll < until) {
        context.clock().sleep_for(kPoll);
        continue;
      }
      if (!whole)
        context.note(fmt::format("the pinned point ends {} bytes before the server does",
                                 reached - point.position.offset.value));
      return write_tag(context, chosen, point, now, outcome);
    }
  }
  Status write_tag(StepContext& context, const ChosenSource& chosen, const protect::RecoveryPoint& point, WallTime now,
                   Outcome& outcome) {
    const std::string name = plain_name("evidence-" + context.run_id());
    outcome.outputs["tag"] = name;
    const auto there = storage::read_pin(*chosen.opened.store, chosen.opened.repository, chosen.source, name);
    if (there.has_value()) {
      outcome.outputs["position"] = to_string(there->position);
      return {};
    }
    if (there.error().kind() != ErrorKind::kNotFound) return there.error();
    RETURN_IF_ERROR(context.before_change("create the tag " + name));
    const storage::Pin tag{name, point.position, point.time, now, std::nullopt, "evidence of run " + context.run_id()};
    RETURN_IF_ERROR(storage::write_pin(*chosen.opened.store, chosen.opened.repository, chosen.source, tag, random_));
    outcome.outputs["position"] = to_string(point.position);
    return {};
  }

  OpenRepository open_;
  FileSystem& files_;
  Random& random_;
  Dialer& dialer_;
};

}  // namespace

std::string masked_acl_line(std::string_view line) {
  std::string masked;
  for (std::size_t start = 0; start <= line.size();) {
    const std::size_t end = std::min(line.find(' ', start), line.size());
    std::string_view word = line.substr(start, end - start);
    if (!masked.empty()) masked += ' ';
    if (!word.empty() && (word.front() == '#' || word.front() == '>' || word.front() == '<'))
      masked += std::string(1, word.front()) + "***";
    else
      masked += word;
    start = end + 1;
  }
  return masked;
}

std::unique_ptr<Action> make_redis_evidence(OpenRepository open, FileSystem& files, Random& random, Dialer& dialer) {
  return std::make_unique<EvidenceAction>(std::move(open), files, random, dialer);
}

}  // namespace anclora::respond

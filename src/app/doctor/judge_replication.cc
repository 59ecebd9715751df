#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <sstream>

#include "app/doctor/judges.h"
#include "base/bytes.h"

namespace anclora::app {
namespace {

constexpr double kWantedSeconds = 600;  // of cut that the backlog should survive
constexpr double kNeededSeconds = 60;   // below: a warning
constexpr std::uint64_t kSmallBacklog = 16 * kMiB;
constexpr double kBaseBytesPerSecond = 40e6;  // how fast a source saves and sends, cautiously
constexpr std::uint64_t kShortSeconds = 60;

std::uint64_t power_of_two(double bytes) {
  return std::bit_ceil(static_cast<std::uint64_t>(std::clamp(bytes, 1.0, 1e15)));
}

std::vector<std::string> set_and_keep(std::string command) { return {std::move(command), "CONFIG REWRITE"}; }

std::string rate_text(const WriteRate& rate) {
  return fmt::format("{}{}/s", rate.is_upper_bound ? "at most " : "",
                     format_size(static_cast<std::uint64_t>(rate.bytes_per_second)));
}

void judge_backlog(const ServerFacts& facts, Findings& findings) {
  const auto size = facts.number_setting("repl-backlog-size");
  const auto from_info = facts.info.number("repl_backlog_size");
  const std::uint64_t bytes =
      size ? *size : static_cast<std::uint64_t>(std::max<std::int64_t>(0, from_info.value_or(0)));
  if (bytes == 0) return;
  const double rate = facts.write_rate ? facts.write_rate->bytes_per_second : 0;
  if (rate > 0) {
    const double seconds = static_cast<double>(bytes) / rate;
    const std::string text = fmt::format("a backlog of {} survives a cut of {:.0f} s at the present write rate ({})",
                                         format_size(bytes), seconds, rate_text(*facts.write_rate));
    if (seconds < kNeededSeconds) {
      const std::uint64_t wanted = std::max(4 * kSmallBacklog, power_of_two(rate * kWantedSeconds));
      findings.push_back({"backlog-too-small", Severity::kWarning,
                          text + "; a longer one costs a full resync and a gap",
                          set_and_keep(fmt::format("CONFIG SET repl-backlog-size {}", wanted))});
      return;
    }
    if (bytes >= kSmallBacklog) {
      findings.push_back({"backlog", Severity::kOk, text, {}});
      return;
    }
    findings.push_back({"backlog-small", Severity::kNote, text + "; little when the rate rises",
                        set_and_keep(fmt::format("CONFIG SET repl-backlog-size {}", 4 * kSmallBacklog))});
    return;
  }
  const bool small = bytes < kSmallBacklog;
  findings.push_back(
      {small ? "backlog-small" : "backlog", small ? Severity::kNote : Severity::kOk,
       fmt::format("a backlog of {}; nothing is written now, so no seconds can be given", format_size(bytes)),
       small ? set_and_keep(fmt::format("CONFIG SET repl-backlog-size {}", 4 * kSmallBacklog))
             : std::vector<std::string>{}});
}

struct BufferLimit {
  std::uint64_t hard = 0, soft = 0, soft_seconds = 0;
};

// Of replicas, in "normal 0 0 0 slave 268435456 67108864 60 pubsub ...".
std::optional<BufferLimit> replica_limit(const ServerFacts& facts) {
  std::istringstream words(facts.setting("client-output-buffer-limit").value_or(""));
  for (std::string name; words >> name;) {
    BufferLimit limit;
    if (!(words >> limit.hard >> limit.soft >> limit.soft_seconds)) break;
    if (name == "slave" || name == "replica") return limit;
  }
  return std::nullopt;
}

void judge_buffer(const ServerFacts& facts, Findings& findings) {
  const auto limit = replica_limit(facts);
  if (!limit) return;
  if (limit->hard == 0 && limit->soft == 0) {
    findings.push_back({"output-buffer", Severity::kOk, "replicas have no output-buffer limit", {}});
    return;
  }
  const double rate = facts.write_rate ? facts.write_rate->bytes_per_second : 0;
  const double base_seconds = static_cast<double>(facts.info.number("used_memory").value_or(0)) / kBaseBytesPerSecond;
  const double needed = rate * base_seconds;  // what queues while the base is saved and sent
  std::uint64_t allowed = limit->hard == 0 ? UINT64_MAX : limit->hard;
  if (limit->soft != 0 && base_seconds > static_cast<double>(limit->soft_seconds))
    allowed = std::min(allowed, limit->soft);
  const std::string text =
      fmt::format("replicas are cut off at {} at once, or {} for {} s; a full sync of about {:.0f} s queues about {}",
                  limit->hard == 0 ? "no limit" : format_size(limit->hard),
                  limit->soft == 0 ? "no limit" : format_size(limit->soft), limit->soft_seconds,
                  std::max(1.0, base_seconds), format_size(static_cast<std::uint64_t>(needed)));
  if (needed > 0.5 * static_cast<double>(allowed)) {
    const std::uint64_t hard = std::max<std::uint64_t>(kMiB * 1024, power_of_two(needed * 3));
    findings.push_back({"output-buffer-too-small", Severity::kWarning, text + ": the first base may never come through",
                        set_and_keep(fmt::format("CONFIG SET client-output-buffer-limit \"replica {} {} {}\"", hard,
                                                 hard / 2, std::max<std::uint64_t>(120, 2 * limit->soft_seconds)))});
    return;
  }
  findings.push_back({"output-buffer", Severity::kOk, text, {}});
}

}  // namespace

Findings judge_replication(const ServerFacts& facts) {
  Findings findings;
  judge_backlog(facts, findings);
  judge_buffer(facts, findings);
  const auto ttl = facts.number_setting("repl-backlog-ttl");
  if (ttl && *ttl != 0 && *ttl < 3600) {
    findings.push_back(
        {"backlog-kept-briefly", Severity::kNote,
         fmt::format("the backlog is freed {} s after the last replica left; a longer absence of capture "
                     "costs a full resync and a gap",
                     *ttl),
         set_and_keep("CONFIG SET repl-backlog-ttl 3600")});
  }
  const auto timeout = facts.number_setting("repl-timeout");
  if (timeout && *timeout < kShortSeconds) {
    findings.push_back({"replication-timeout-short", Severity::kNote,
                        fmt::format("repl-timeout is {} s: a longer pause of the network cuts the link", *timeout),
                        set_and_keep("CONFIG SET repl-timeout 60")});
  }
  if (facts.setting("repl-diskless-sync") == "no") {
    findings.push_back({"base-needs-disk",
                        Severity::kNote,
                        "a full sync writes the whole dataset to the source's disk first (repl-diskless-sync no)",
                        {}});
  }
  return findings;
}

}  // namespace anclora::app

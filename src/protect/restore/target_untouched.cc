#include "protect/restore/target_untouched.h"

#include <fmt/format.h>

#include <algorithm>

namespace anclora::protect {
namespace {

constexpr Duration kAskEvery = std::chrono::milliseconds(10);

std::uint64_t number(const redis::Info& info, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, info.number(name).value_or(0)));
}

// As a primary counts it against its limit.
struct Memory {
  explicit Memory(const redis::Info& info)
      : limit(number(info, "maxmemory")),
        used(number(info, "used_memory") -
             std::min(number(info, "used_memory"), number(info, "mem_not_counted_for_evict"))),
        policy(info.text("maxmemory_policy").value_or("noeviction")) {}
  bool would_evict() const { return limit != 0 && policy != "noeviction" && used > limit; }

  std::uint64_t limit;
  std::uint64_t used;
  std::string policy;
};

}  // namespace

Status check_untouched(redis::Client& client, const redis::Info& info, bool made_read_only, const std::string& name) {
  const auto read_only = client.config_get("replica-read-only");
  if (made_read_only && read_only && *read_only != "yes")
    return Error(ErrorKind::kFailedPrecondition,
                 name + " was made writable in the middle: others may have changed what it holds",
                 "find out who said CONFIG SET replica-read-only to it");
  const Memory memory(info);
  if (!memory.would_evict()) return {};
  return Error(ErrorKind::kFailedPrecondition,
               fmt::format("{} would evict keys as soon as it is promoted: {} are used, maxmemory is {}, with {}", name,
                           format_size(memory.used), format_size(memory.limit), memory.policy),
               "CONFIG SET maxmemory-policy noeviction, or a larger maxmemory");
}

Status wait_until_freed(redis::Client& client, Duration at_most, const RestoreTools& tools) {
  const MonoTime begin = tools.clock.mono_now();
  while (true) {
    ASSIGN_OR_RETURN(const redis::Info info, client.info("memory"));
    if (!Memory(info).would_evict() || number(info, "lazyfree_pending_objects") == 0) return {};
    if (tools.is_cancelled()) return Error(ErrorKind::kCancelled, "stopped while the target freed its old data");
    if (tools.clock.mono_now() - begin > at_most) return {};
    tools.clock.sleep_for(kAskEvery);
  }
}

}  // namespace anclora::protect

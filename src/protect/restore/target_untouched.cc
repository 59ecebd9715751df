#include "protect/restore/target_untouched.h"

#include <fmt/format.h>

#include <algorithm>

namespace anclora::protect {
namespace {

std::uint64_t number(const redis::Info& info, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, info.number(name).value_or(0)));
}

}  // namespace

Status check_untouched(redis::Client& client, const redis::Info& info, bool made_read_only, const std::string& name) {
  const auto read_only = client.config_get("replica-read-only");
  if (made_read_only && read_only && *read_only != "yes")
    return Error(ErrorKind::kFailedPrecondition,
                 name + " was made writable in the middle: others may have changed what it holds",
                 "find out who said CONFIG SET replica-read-only to it");
  const std::uint64_t limit = number(info, "maxmemory");
  const std::uint64_t used = number(info, "used_memory"), others = number(info, "mem_not_counted_for_evict");
  const std::string policy(info.text("maxmemory_policy").value_or("noeviction"));
  if (limit == 0 || policy == "noeviction" || used < others || used - others <= limit) return {};
  return Error(ErrorKind::kFailedPrecondition,
               fmt::format("{} would evict keys as soon as it is promoted: {} are used, maxmemory is {}, with {}", name,
                           format_size(used - others), format_size(limit), policy),
               "CONFIG SET maxmemory-policy noeviction, or a larger maxmemory");
}

}  // namespace anclora::protect

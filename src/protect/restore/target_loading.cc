#include "protect/restore/target_loading.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace anclora::protect {
namespace {

constexpr Duration kAskEvery = std::chrono::milliseconds(200);

std::uint64_t number(const redis::Info& info, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, info.number(name).value_or(0)));
}

Error still_loading(std::uint64_t loaded, std::uint64_t total, Duration waited) {
  return Error(ErrorKind::kUnavailable,
               fmt::format("the target is still loading its data after {}: {} of {}", format_duration(waited),
                           format_size(loaded), format_size(total)),
               "wait until INFO persistence says loading:0, then restore again; its log says what it loads");
}

}  // namespace

Status wait_until_loaded(LiveLink& link, Clock& clock, const std::function<bool()>& is_cancelled,
                         const OnRestoreProgress& on_progress, const LoadingPatience& patience) {
  const MonoTime begin = clock.mono_now();
  MonoTime moved = begin;
  std::optional<std::uint64_t> newest;
  while (true) {
    ASSIGN_OR_RETURN(redis::Client * client, link.client());
    ASSIGN_OR_RETURN(const redis::Info info, client->info("persistence"));
    if (!info.loading()) return {};
    const MonoTime now = clock.mono_now();
    const std::uint64_t loaded = number(info, "loading_loaded_bytes");
    const std::uint64_t total = std::max(loaded, number(info, "loading_total_bytes"));
    if (!newest || loaded != *newest) moved = now;
    newest = loaded;
    if (now - moved >= patience.stalled || now - begin >= patience.at_most)
      return still_loading(loaded, total, now - begin);
    if (is_cancelled && is_cancelled()) return Error(ErrorKind::kCancelled, "stopped while the target was loading");
    if (on_progress) on_progress({"the target is loading its data", loaded, total});
    clock.sleep_for(kAskEvery);
  }
}

}  // namespace anclora::protect

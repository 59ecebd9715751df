#include "protect/restore/databases_used.h"

#include <algorithm>
#include <utility>

#include "protect/restore/replay_source.h"
#include "redis/rdb/rdb_reader.h"

namespace anclora::protect {
namespace {

constexpr std::string_view kPhase = "looking at the databases in use";
constexpr std::uint64_t kKeysBetweenLooks = 10'000;

Status cancelled_error() { return Error(ErrorKind::kCancelled, "stopped while looking at the databases in use"); }

}  // namespace

Result<std::uint32_t> count_databases_used(RestoreInput input, const std::function<bool()>& is_cancelled,
                                           const OnRestoreProgress& on_progress) {
  const std::uint64_t total = input.route.base.rdb_bytes + input.route.stream_bytes();
  const std::uint64_t base_bytes = input.route.base.rdb_bytes;
  const auto look = [&](std::uint64_t done) -> Status {
    if (is_cancelled && is_cancelled()) return cancelled_error();
    if (on_progress) on_progress({kPhase, done, total});
    return {};
  };
  std::uint64_t highest = 0;
  {
    ReplaySource source(input);
    ASSIGN_OR_RETURN(const auto base, source.open_base());
    redis::RdbReader reader(*base);
    for (std::uint64_t keys = 0;; ++keys) {
      if (keys % kKeysBetweenLooks == 0) RETURN_IF_ERROR(look(source.base_bytes_read()));
      ASSIGN_OR_RETURN(const auto key, reader.next());
      if (!key) break;
      highest = std::max(highest, key->database);
    }
  }
  RestoreStream stream(std::move(input));
  for (Bytes out;; out.clear()) {
    RETURN_IF_ERROR(look(base_bytes + stream.stream_bytes_read()));
    ASSIGN_OR_RETURN(const std::size_t size, stream.read(out));
    if (size == 0) break;
  }
  return std::max(static_cast<std::uint32_t>(std::min<std::uint64_t>(highest, UINT32_MAX - 1) + 1),
                  stream.databases_used());
}

}  // namespace anclora::protect

#include "protect/restore/live_link.h"

namespace anclora::protect {

Result<redis::Client*> LiveLink::client() {
  if (client_ && !client_->broken()) return client_.get();
  redis::ClientOptions options;
  options.command_timeout = std::chrono::seconds(30);
  ASSIGN_OR_RETURN(client_, redis::Client::connect(url_, dialer_, clock_, options));
  return client_.get();
}

Status LiveLink::look() {
  offset_.reset();
  const auto ask = [&]() -> Result<redis::Info> {
    ASSIGN_OR_RETURN(redis::Client * connected, client());
    return connected->info("replication");
  };
  const auto info = ask();
  if (info.has_value()) {
    silent_since_.reset();
    refused_since_.reset();
    answer_ = *info;
    // Before its link is up it still names the offset of its past, which may be the very one that is waited for.
    const bool executes = info->is_replica() && info->link_up() && !info->syncing();
    if (const auto offset = info->number("slave_repl_offset"); executes && offset && *offset >= 0)
      offset_ = redis::Offset{static_cast<std::uint64_t>(*offset)};
    return {};
  }
  const MonoTime now = clock_.mono_now();
  if (!silent_since_) silent_since_ = now;
  if (info.error().kind() != ErrorKind::kUnavailable)
    refused_since_.reset();
  else if (!refused_since_)
    refused_since_ = now;
  const bool refused = refused_since_ && now - *refused_since_ >= kRefusedAfter;
  if (!refused && now - *silent_since_ < kGoneAfter) return {};
  return Error(ErrorKind::kUnavailable, "the target is gone: " + info.error().message(),
               "look at its log: it may have been killed for lack of memory, or have ended for lack of disk for its "
               "append-only file");
}

std::optional<std::string> LiveLink::follows_other_than(const Endpoint& us) const {
  if (!answer_) return std::nullopt;
  if (answer_->is_primary()) return "it is a primary again: it was started anew, or somebody made it one";
  const Endpoint primary{std::string(answer_->text("master_host").value_or("")),
                         static_cast<std::uint16_t>(answer_->number("master_port").value_or(0))};
  if (primary.host == us.host && primary.port == us.port) return std::nullopt;
  return "somebody made it follow " + primary.to_string();
}

}  // namespace anclora::protect

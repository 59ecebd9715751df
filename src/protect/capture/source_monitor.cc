#include "protect/capture/source_monitor.h"

#include <algorithm>
#include <utility>

#include "protect/capture/side_data.h"

namespace anclora::protect {
namespace {

constexpr Duration kCountKeysEvery = std::chrono::seconds(10);

}  // namespace

SourceMonitor::SourceMonitor(Context context)
    : context_(std::move(context)), failures_(std::chrono::seconds(1), std::chrono::seconds(30)) {}

void SourceMonitor::poll() {
  if (failures_.waiting(context_.clock.mono_now())) return;
  if (ask()) {
    failures_.succeed();
    return;
  }
  client_.reset();
  context_.state.set_source_trouble({});
  failures_.fail(context_.clock.mono_now(), context_.random);
}

// A replica deletes expired keys by its primary's word as a restored server does, but its own offset may be that of a
// history that is about to be replaced: only a primary's word is kept.
void SourceMonitor::take_key_counts(const redis::Info& info, MonoTime now) {
  if (info.loading() || !info.is_primary() || !info.offset() || info.replid().empty()) return;
  next_count_ = now + kCountKeysEvery;
  storage::KeyCounts counts;
  counts.offset = *info.offset();
  for (const redis::Keyspace& one : info.keyspaces())
    if (one.keys != 0) counts.databases.push_back({one.database, one.keys});
  std::ranges::sort(counts.databases, {}, &storage::KeyCounts::Database::database);
  context_.state.set_key_counts(info.replid(), std::move(counts));
}

void SourceMonitor::tell_trouble(const redis::Info& info) {
  if (!info.fails_over_to_nobody()) return context_.state.set_source_trouble({});
  const Error trouble(
      ErrorKind::kFailedPrecondition,
      "a FAILOVER of the source chose capture, which cannot take over: the source takes no writes until "
      "somebody says FAILOVER ABORT to it; then FAILOVER TO <host> <port>");
  context_.state.failed(trouble);
  context_.state.set_source_trouble(trouble.message());
}

Status SourceMonitor::ask() {
  if (!client_) {
    ASSIGN_OR_RETURN(client_, redis::Client::connect(context_.url, context_.dialer, context_.clock));
    info_refused_ = false;
  }
  if (!info_refused_) {
    // One command shows one moment: offset and counts belong together.
    const MonoTime now = context_.clock.mono_now();
    const auto info = now >= next_count_ ? client_->info() : client_->info("replication");
    if (!info && client_->broken()) return info.error();
    if (!info) {  // a user who may replicate need not be allowed INFO
      info_refused_ = true;
      context_.state.set_source_trouble({});
    }
    if (info && info->offset()) context_.state.set_source_offset(*info->offset());
    if (info && now >= next_count_) take_key_counts(*info, now);
    if (info) tell_trouble(*info);
  }
  const std::shared_ptr<BaseTransfer> base = context_.state.base();
  if (!base || base == described_.lock()) return {};
  ASSIGN_OR_RETURN(std::string json, collect_side_data(*client_, context_.mask_secrets));
  context_.state.set_side_data(std::move(json));
  described_ = base;
  return {};
}

}  // namespace anclora::protect

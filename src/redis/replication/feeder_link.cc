#include "redis/replication/feeder_link.h"

#include <fmt/format.h>

namespace anclora::redis {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadLimit = 4 * kKiB;
constexpr Duration kMoment = milliseconds(200);
constexpr Duration kRoundPoll = milliseconds(5);
constexpr Duration kKeepAliveEvery = std::chrono::seconds(5);

}  // namespace

FeederLink::FeederLink(FeederState& state, std::unique_ptr<Connection> connection)
    : state_(state),
      connection_(std::move(connection)),
      protocol_(state.identity, state.resumable_up_to()),
      last_heard_(state.clock.mono_now()) {}

void FeederLink::cut() {
  cut_ = true;
  connection_->interrupt();
}

void FeederLink::run() {
  const Status ended = serve();
  if (!ended) state_.note_link_error(ended.error().with_context("link to " + connection_->peer().to_string()));
  state_.release(*this);
}

Status FeederLink::serve() {
  ASSIGN_OR_RETURN(const SyncRequest request, shake_hands());
  RETURN_IF_ERROR(state_.become_target(*this, request));
  state_.note_target(connection_->peer().to_string(), protocol_.target());
  if (request.full) {
    RETURN_IF_ERROR(serve_everything(request));
  } else {
    loaded_ = true;
    state_.note_stage(FeederProgress::Stage::kStream);
    RETURN_IF_ERROR(send(protocol_.answer(request)));
  }
  for (Offset after = request.after;;) {
    const std::uint64_t round = state_.round();
    ASSIGN_OR_RETURN(after, serve_stream(after, round));
    RETURN_IF_ERROR(await_another_round(round));
  }
}

Result<SyncRequest> FeederLink::shake_hands() {
  const MonoTime deadline = state_.clock.mono_now() + state_.options.handshake_timeout;
  while (true) {
    const MonoTime now = state_.clock.mono_now();
    if (now >= deadline) return Error(ErrorKind::kDeadlineExceeded, "it did not ask for data in time");
    RETURN_IF_ERROR(listen(deadline - now));
    if (const auto request = protocol_.take_sync_request()) return *request;
  }
}

Status FeederLink::listen(Duration timeout) {
  RETURN_IF_ERROR(check_alive());
  received_.clear();
  const Result<std::size_t> got = connection_->read_some(received_, kReadLimit, timeout);
  if (!got) {
    const ErrorKind kind = got.error().kind();
    if (kind == ErrorKind::kDeadlineExceeded || (kind == ErrorKind::kCancelled && !cut_)) return {};
    return got.error();
  }
  if (*got == 0) return Error(ErrorKind::kUnavailable, "the target hung up");
  last_heard_ = state_.clock.mono_now();
  const Status understood = protocol_.receive(received_);
  const Bytes replies = protocol_.take_output();
  if (!replies.empty()) RETURN_IF_ERROR(connection_->write_all(replies, state_.options.handshake_timeout));
  RETURN_IF_ERROR(understood);
  const auto offset = protocol_.acknowledged();
  if (!offset) return {};
  loaded_ = true;
  return state_.note_acknowledged(*offset);
}

Status FeederLink::check_alive() const {
  if (cut_) return Error(ErrorKind::kCancelled, "another link took its place, or the feed was stopped");
  if (state_.clock.mono_now() - last_heard_ > state_.options.silence_timeout)
    return Error(ErrorKind::kDeadlineExceeded, "the target has been silent for too long");
  return {};
}

Status FeederLink::send(ByteView bytes) {
  if (cut_) return Error(ErrorKind::kCancelled, "another link took its place, or the feed was stopped");
  RETURN_IF_ERROR(connection_->write_all(bytes, loaded_ ? state_.options.write_timeout : state_.options.load_timeout));
  // A write may wait for long while the target is busy; what it said meanwhile is still unread.
  last_heard_ = state_.clock.mono_now();
  return listen(Duration::zero());
}

Result<std::optional<Bytes>> FeederLink::next_chunk(Prefetch& prefetch) {
  Result<std::optional<Bytes>> chunk = prefetch.next(kMoment);
  if (!chunk) {
    state_.fail(chunk.error());
    return chunk.error();
  }
  if (!chunk->has_value()) RETURN_IF_ERROR(listen(Duration::zero()));
  return chunk;
}

Status FeederLink::serve_everything(const SyncRequest& request) {
  state_.note_stage(FeederProgress::Stage::kBase);
  RETURN_IF_ERROR(send(protocol_.answer(request)));
  RETURN_IF_ERROR(serve_base());
  state_.note_stage(FeederProgress::Stage::kLoading);
  return {};
}

Status FeederLink::serve_base() {
  const std::uint64_t size = state_.source.base_size_bytes();
  auto base = state_.source.open_base();
  if (!base) {
    state_.fail(base.error());
    return base.error();
  }
  Prefetch prefetch(std::move(*base), state_.options.chunk_bytes, state_.options.prefetch_bytes);
  RdbSummary summary;
  MonoTime last_sent = state_.clock.mono_now();
  bool head_sent = false;
  while (true) {
    ASSIGN_OR_RETURN(auto chunk, next_chunk(prefetch));
    if (!chunk) {
      // Before "$" a line feed keeps the link alive; inside the base it would be data.
      if (!head_sent && state_.clock.mono_now() - last_sent > kKeepAliveEvery) {
        RETURN_IF_ERROR(send("\n"));
        last_sent = state_.clock.mono_now();
      }
      continue;
    }
    if (!head_sent) RETURN_IF_ERROR(send(FeederProtocol::base_head(size)));
    head_sent = true;
    RETURN_IF_ERROR(send_base_chunk(*chunk, summary));
    if (summary.fed_bytes() == size) return {};
    prefetch.recycle(std::move(*chunk));
  }
}

Status FeederLink::send_base_chunk(const Bytes& chunk, RdbSummary& summary) {
  const std::uint64_t size = state_.source.base_size_bytes();
  Status fed = summary.feed(chunk);
  const std::uint64_t now = summary.fed_bytes();
  if (fed && (now > size || (chunk.empty() && now < size)))
    fed = Error(ErrorKind::kDataLoss, fmt::format("the base should be {} bytes, but {} came", size, now));
  if (fed && now == size) {
    const Result<RdbFacts> facts = summary.finish();
    if (!facts) fed = facts.error();
  }
  if (!fed) {
    state_.fail(fed.error().with_context("the base was not served to its end"));
    return fed;
  }
  RETURN_IF_ERROR(send(chunk));
  state_.note_base_sent(now);
  return {};
}

Result<Offset> FeederLink::serve_stream(Offset after, std::uint64_t round) {
  auto stream = state_.source.open_stream(after);
  if (!stream) {
    state_.fail(stream.error());
    return stream.error();
  }
  Prefetch prefetch(std::move(*stream), state_.options.chunk_bytes, state_.options.prefetch_bytes);
  while (true) {
    ASSIGN_OR_RETURN(auto chunk, next_chunk(prefetch));
    if (!chunk) continue;
    if (chunk->empty()) break;
    after = after + chunk->size();
    state_.allow_resume_up_to(after);
    RETURN_IF_ERROR(send(*chunk));
    state_.note_stream_sent(after);
    prefetch.recycle(std::move(*chunk));
  }
  state_.note_end(after, round);
  return after;
}

Status FeederLink::await_another_round(std::uint64_t round) {
  while (state_.round() == round) RETURN_IF_ERROR(listen(kRoundPoll));
  return {};
}

}  // namespace anclora::redis

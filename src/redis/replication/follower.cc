#include "redis/replication/follower.h"

#include <fmt/format.h>

#include <algorithm>

#include "redis/resp/reply.h"
#include "redis/resp/reply_error.h"

namespace anclora::redis {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr Duration kHurry = std::chrono::milliseconds(100);
constexpr Duration kHurryFor = std::chrono::seconds(10);
constexpr std::string_view kAclHint =
    "give the user what a replica needs: ACL SETUSER <user> +ping +psync +replconf +info +time +config|get";

}  // namespace

Follower::Follower(FollowerOptions options) : options_(std::move(options)) {}

void Follower::start(MonoTime now, FollowerActions& out) {
  now_ = heard_ = now;
  out.push_back(SendBytes{build_command({"PING"})});
}

void Follower::receive(ByteView chunk, MonoTime now, FollowerActions& out) {
  now_ = heard_ = now;
  while (!chunk.empty()) {
    switch (phase_) {
      case Phase::kRefused:
      case Phase::kBaseTaken:
        return;
      case Phase::kStream:
        out.push_back(StreamBytes{chunk, received_ + 1});
        received_ = received_ + chunk.size();
        stream_began_ = true;
        return;
      case Phase::kBaseByLength:
      case Phase::kBaseByMark:
        chunk = take_base_bytes(chunk, out);
        break;
      default:
        chunk = take_handshake_bytes(chunk, out);
    }
  }
}

ByteView Follower::take_handshake_bytes(ByteView chunk, FollowerActions& out) {
  const std::size_t end = chunk.find('\n');
  line_.append(chunk.substr(0, std::min({end, chunk.size(), kLongestLine})));
  // Judged by its first byte, since a stranger may never end its line.
  if (!line_.empty() && std::string_view("+-$\r").find(line_[0]) == std::string_view::npos) {
    refuse(error_of_foreign_bytes(line_), out);
    return {};
  }
  if (line_.size() >= kLongestLine) {
    refuse(Error(ErrorKind::kDataLoss, "the source sends an endless line during the handshake"), out);
    return {};
  }
  if (end == ByteView::npos) return {};
  std::string line = std::exchange(line_, {});
  if (line.ends_with('\r')) line.pop_back();
  if (!line.empty()) take_line(line, out);  // an empty one keeps the link alive while the source saves
  return chunk.substr(end + 1);
}

void Follower::take_line(std::string_view line, FollowerActions& out) {
  if (phase_ == Phase::kBaseHeader) return take_base_header(line, out);
  if (line[0] != '+' && line[0] != '-') return refuse(error_of_foreign_bytes(line), out);
  if (phase_ == Phase::kPsync) return take_psync_line(line, out);
  take_handshake_line(line, out);
}

bool Follower::is_refusal(std::string_view line) const { return line.starts_with('-'); }

void Follower::take_handshake_line(std::string_view line, FollowerActions& out) {
  if (!is_refusal(line)) return ask_next(out);
  const std::string_view text = line.substr(1);
  const auto refuse_for = [&](std::string_view what) {
    Error error = error_of_reply(text, what);
    if (error.kind() == ErrorKind::kPermissionDenied) {
      error = Error(error.kind(), error.message(), std::string(kAclHint));
    }
    refuse(std::move(error), out);
  };
  const bool before_sign_in =
      text.starts_with("NOAUTH") || text.starts_with("NOPERM") || text.starts_with("ERR operation not permitted");
  switch (phase_) {
    case Phase::kPing:
      // A user that may not PING may still replicate; so may one that has not signed in yet.
      if (before_sign_in && (!options_.password.empty() || text.starts_with("NOPERM"))) return ask_next(out);
      return refuse_for("PING");
    case Phase::kAuth:
      return refuse_for("AUTH");
    case Phase::kVersion:
      return ask_next(out);  // no Redis knows it, only Valkey
    default:
      if (text.starts_with("ERR Unrecognized REPLCONF option")) return ask_next(out);
      return refuse_for("REPLCONF");
  }
}

void Follower::ask_next(FollowerActions& out) {
  const auto ask = [&](Phase next, Bytes command) {
    phase_ = next;
    out.push_back(SendBytes{std::move(command)});
  };
  switch (phase_) {
    case Phase::kPing:
      if (!options_.password.empty()) {
        const std::string& password = options_.password.reveal();
        return ask(Phase::kAuth, options_.user.empty() ? build_command({"AUTH", password})
                                                       : build_command({"AUTH", options_.user, password}));
      }
      [[fallthrough]];
    case Phase::kAuth:
      return ask(Phase::kListeningPort, build_command({"REPLCONF", "listening-port", "0"}));
    case Phase::kListeningPort:
      return ask(Phase::kCapabilities, build_command({"REPLCONF", "capa", "eof", "capa", "psync2"}));
    case Phase::kCapabilities:
      if (!options_.announced_version.empty()) {
        return ask(Phase::kVersion, build_command({"REPLCONF", "version", options_.announced_version}));
      }
      [[fallthrough]];
    case Phase::kVersion:
      if (options_.base_only) return ask(Phase::kBaseOnly, build_command({"REPLCONF", "rdb-only", "1"}));
      return ask_psync(out);
    case Phase::kBaseOnly:
      return ask_psync(out);
    default:
      return refuse(Error(ErrorKind::kInternal, "the handshake lost its order"), out);
  }
}

void Follower::ask_psync(FollowerActions& out) {
  phase_ = Phase::kPsync;
  if (!options_.resume) return out.push_back(SendBytes{build_command({"PSYNC", "?", "-1"})});
  received_ = options_.resume->last_received;
  out.push_back(SendBytes{build_command({"PSYNC", options_.resume->replid, std::to_string(received_.value + 1)})});
}

void Follower::tick(MonoTime now, FollowerActions& out) {
  now_ = now;
  if (phase_ == Phase::kRefused || phase_ == Phase::kBaseTaken) return;
  if (now - heard_ >= options_.silence_limit) {
    return refuse(Error(ErrorKind::kDeadlineExceeded,
                        fmt::format("the source has been silent for {}", format_duration(now - heard_)),
                        "check the network, and that the source is neither frozen nor overloaded"),
                  out);
  }
  if (phase_ == Phase::kStream && now >= next_acknowledgement_) send_acknowledgement(out);
}

MonoTime Follower::next_tick() const {
  const MonoTime silence = heard_ + options_.silence_limit;
  return phase_ == Phase::kStream ? std::min(silence, next_acknowledgement_) : silence;
}

void Follower::acknowledge(Offset durable, std::optional<Offset> fack, MonoTime now, FollowerActions& out) {
  now_ = now;
  durable_ = durable;
  fack_ = fack;
  if (phase_ == Phase::kStream) send_acknowledgement(out);
}

void Follower::begin_stream(FollowerActions& out) {
  phase_ = Phase::kStream;
  hurry_until_ = now_ + kHurryFor;
  send_acknowledgement(out);
}

void Follower::send_acknowledgement(FollowerActions& out) {
  const std::string offset = std::to_string((options_.acknowledge_received ? received_ : durable_).value);
  out.push_back(SendBytes{fack_ ? build_command({"REPLCONF", "ACK", offset, "FACK", std::to_string(fack_->value)})
                                : build_command({"REPLCONF", "ACK", offset})});
  const bool hurry = !stream_began_ && now_ < hurry_until_;
  next_acknowledgement_ = now_ + (hurry ? std::min(kHurry, options_.acknowledge_every) : options_.acknowledge_every);
}

void Follower::closed(FollowerActions& out) {
  std::string where = "while it answered the handshake";
  std::string hint = "see the source's log; if this port expects TLS, use rediss://";
  switch (phase_) {
    case Phase::kRefused:
    case Phase::kBaseTaken:
      return;
    case Phase::kPsync:
    case Phase::kBaseHeader:
      where = "while it prepared the base";
      hint = "see the source's log: its save may have failed";
      break;
    case Phase::kBaseByLength:
      where = fmt::format("after {} of {} bytes of the base", base_received_bytes_,
                          base_received_bytes_ + base_left_bytes_);
      hint = "see the source's log; its client-output-buffer-limit for replicas may be too small";
      break;
    case Phase::kBaseByMark:
      where = fmt::format("after {} bytes of the base, before its end", base_received_bytes_);
      hint = "see the source's log; its client-output-buffer-limit for replicas may be too small";
      break;
    case Phase::kStream:
      where = fmt::format("after offset {}", received_.value);
      hint = "see the source's log";
      break;
    default:
      break;
  }
  refuse(Error(ErrorKind::kUnavailable, "the source closed the link " + where, std::move(hint)), out);
}

void Follower::refuse(Error error, FollowerActions& out) {
  phase_ = Phase::kRefused;
  line_.clear();
  out.push_back(Refused{std::move(error)});
}

}  // namespace anclora::redis

// Follower: the answer to PSYNC, and the base that may follow it.
#include <fmt/format.h>

#include <algorithm>

#include "base/whole_number.h"
#include "redis/replication/follower.h"
#include "redis/resp/reply_error.h"

namespace anclora::redis {
namespace {

constexpr std::size_t kShown = 120;

bool is_replid(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// A number without a sign, of at most 18 digits.
std::optional<std::uint64_t> to_number(std::string_view text) {
  return text.size() <= 18 ? whole_number<std::uint64_t>(text) : std::nullopt;
}

// Bytes of a stranger in a message: no control characters.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, kShown));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

Error malformed(std::string_view what, std::string_view line) {
  return Error(ErrorKind::kDataLoss, fmt::format("the source's {} is malformed: \"{}\"", what, shown(line)),
               "check that the URL leads to a Redis and not to a proxy");
}

}  // namespace

void Follower::take_psync_line(std::string_view line, FollowerActions& out) {
  if (line.starts_with("+FULLRESYNC ")) return take_full_resync(line.substr(12), out);
  if (line == "+CONTINUE" || line.starts_with("+CONTINUE ")) return take_continue(line.substr(9), out);
  if (line.starts_with("+RDBCHANNELSYNC") || line.starts_with("+DUALCHANNELSYNC")) {
    return refuse(Error(ErrorKind::kUnsupported, "the source insists on a second channel, which was not offered"), out);
  }
  if (line[0] != '-') return refuse(malformed("answer to PSYNC", line), out);
  Error error = error_of_reply(line.substr(1), "PSYNC");
  if (error.kind() == ErrorKind::kPermissionDenied) {
    error =
        Error(error.kind(), error.message(),
              "give the user what a replica needs: ACL SETUSER <user> +ping +psync +replconf +info +time +config|get");
  } else if (error.kind() == ErrorKind::kUnsupported) {
    error = Error(error.kind(), error.message(),
                  "PSYNC is renamed or forbidden there, as on most managed services: `anclora doctor URL` tells more");
  }
  refuse(std::move(error), out);
}

void Follower::take_full_resync(std::string_view rest, FollowerActions& out) {
  const std::size_t space = rest.find(' ');
  const auto offset = space == std::string_view::npos ? std::nullopt : to_number(rest.substr(space + 1));
  if (!offset || !is_replid(rest.substr(0, space))) return refuse(malformed("answer FULLRESYNC", rest), out);
  replid_ = rest.substr(0, space);
  received_ = Offset{*offset};
  durable_ = Offset{};  // what was durable belongs to another timeline
  fack_.reset();
  phase_ = Phase::kBaseHeader;
}

void Follower::take_continue(std::string_view rest, FollowerActions& out) {
  if (!options_.resume) {
    return refuse(Error(ErrorKind::kDataLoss, "the source continues a stream that was not asked for"), out);
  }
  ContinueAccepted accepted{options_.resume->replid, false, received_};
  if (!rest.empty()) {
    accepted.replid = rest.substr(1);
    if (!is_replid(accepted.replid)) return refuse(malformed("answer CONTINUE", rest), out);
    accepted.renamed = accepted.replid != options_.resume->replid;
  }
  replid_ = accepted.replid;
  stream_began_ = true;
  out.push_back(std::move(accepted));
  begin_stream(out);
}

void Follower::take_base_header(std::string_view line, FollowerActions& out) {
  if (is_refusal(line)) {
    return refuse(
        Error(ErrorKind::kUnavailable, fmt::format("the source gave up on the base: {}", shown(line.substr(1))),
              "see the source's log: its save has failed"),
        out);
  }
  if (line.starts_with("$EOF:")) {
    const std::string_view mark = line.substr(5);
    if (mark.size() != MarkFinder::kMarkBytes) return refuse(malformed("end mark of the base", line), out);
    mark_ = MarkFinder(std::string(mark));
    phase_ = Phase::kBaseByMark;
    out.push_back(FullResyncStarted{replid_, received_, std::nullopt});
    return;
  }
  const auto length = line.starts_with('$') ? to_number(line.substr(1)) : std::nullopt;
  if (!length || *length == 0) return refuse(malformed("length of the base", line), out);
  if (*length > options_.base_limit_bytes) {
    return refuse(Error(ErrorKind::kResourceExhausted,
                        fmt::format("the source announces a base of {} bytes, more than the limit of {}", *length,
                                    options_.base_limit_bytes)),
                  out);
  }
  base_left_bytes_ = *length;
  phase_ = Phase::kBaseByLength;
  out.push_back(FullResyncStarted{replid_, received_, length});
}

ByteView Follower::take_base_bytes(ByteView chunk, FollowerActions& out) {
  if (phase_ == Phase::kBaseByLength) {
    const std::size_t take = std::min<std::uint64_t>(base_left_bytes_, chunk.size());
    out.push_back(BaseBytes{chunk.substr(0, take)});
    base_left_bytes_ -= take;
    base_received_bytes_ += take;
    if (base_left_bytes_ == 0) base_is_complete(out);
    return chunk.substr(take);
  }
  const auto end = mark_.feed(chunk, [&](ByteView bytes) {
    base_received_bytes_ += bytes.size();
    out.push_back(BaseBytes{bytes});
  });
  if (base_received_bytes_ > options_.base_limit_bytes) {
    refuse(Error(ErrorKind::kResourceExhausted,
                 fmt::format("the source sends an endless base: more than {} bytes", options_.base_limit_bytes)),
           out);
    return {};
  }
  if (!end) return {};
  base_is_complete(out);
  return chunk.substr(*end);
}

void Follower::base_is_complete(FollowerActions& out) {
  stream_began_ = phase_ == Phase::kBaseByLength;
  out.push_back(BaseComplete{});
  if (options_.base_only) {
    phase_ = Phase::kBaseTaken;
    return;
  }
  begin_stream(out);
}

}  // namespace anclora::redis

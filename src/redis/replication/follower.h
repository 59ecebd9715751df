// The replica's side of Redis replication as a pure state machine: handshake, full or partial resynchronisation, the
// base, the stream, acknowledgements. Bytes and time in, actions out; no clock, no network.
//
// Advertises `eof` and `psync2` only, and port 0, so that a Sentinel or a failover has nothing to promote. Whatever
// the source sends, memory stays bounded by one chunk and one line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "redis/offset.h"
#include "redis/replication/mark_finder.h"

namespace anclora::redis {

struct ResumePoint {
  std::string replid;    // 40 hexadecimal digits
  Offset last_received;  // the stream is asked for from the byte after it
};

struct FollowerOptions {
  std::string user;
  Secret password;                    // empty: no AUTH
  std::string announced_version;      // Info::announced_version(); empty: none is announced
  std::optional<ResumePoint> resume;  // nothing: a full resynchronisation
  bool acknowledge_received = false;  // ACK what was received instead of what is durable
  // The base alone: the source is told (REPLCONF rdb-only, 6.2 and later) and need not keep the stream for us; nothing
  // is ever acknowledged, so that no WAIT counts this link. What follows the base is dropped.
  bool base_only = false;
  Duration acknowledge_every = std::chrono::seconds(1);
  Duration silence_limit = std::chrono::seconds(60);  // repl-timeout's default
  std::uint64_t base_limit_bytes = std::uint64_t{1} << 44;
};

struct SendBytes {
  Bytes bytes;
};
struct FullResyncStarted {
  std::string replid;
  Offset offset;                              // the base holds the stream up to and with this byte
  std::optional<std::uint64_t> length_bytes;  // nothing: diskless, the end is marked
};
struct BaseBytes {
  ByteView bytes;  // lives until the next call of receive()
};
struct BaseComplete {};
struct ContinueAccepted {
  std::string replid;    // in force from here on
  bool renamed = false;  // another id than asked for: the source was promoted
  Offset offset;         // the next stream byte is the one after it
};
struct StreamBytes {
  ByteView bytes;  // lives as long as the chunk given to receive()
  Offset first;    // of bytes[0]
};
// The link is of no use any more; retry_class(error.kind()) tells what to do.
struct Refused {
  Error error;
};
using FollowerAction =
    std::variant<SendBytes, FullResyncStarted, BaseBytes, BaseComplete, ContinueAccepted, StreamBytes, Refused>;
using FollowerActions = std::vector<FollowerAction>;

// One thread at a time. Each method appends to `out` what is to be done, in order.
class Follower {
 public:
  enum class Phase : std::uint8_t {
    kPing,
    kAuth,
    kListeningPort,
    kCapabilities,
    kVersion,
    kBaseOnly,
    kPsync,       // waiting for the answer, which may take as long as the source takes to save
    kBaseHeader,  // FULLRESYNC is known, the base has not begun
    kBaseByLength,
    kBaseByMark,
    kStream,
    kBaseTaken,  // all that a base_only follower wants
    kRefused,
  };

  explicit Follower(FollowerOptions options);

  void start(MonoTime now, FollowerActions& out);
  void receive(ByteView chunk, MonoTime now, FollowerActions& out);
  // To be called at next_tick() or later: acknowledges when it is time, refuses a source that has been silent.
  void tick(MonoTime now, FollowerActions& out);
  MonoTime next_tick() const;
  // What is durable (0 until a base is complete), from now on; acknowledged at once when the stream runs. `fack`: the
  // offset that satisfies WAITAOF (sources of version 7.2 and later).
  void acknowledge(Offset durable, std::optional<Offset> fack, MonoTime now, FollowerActions& out);
  // The source closed the connection.
  void closed(FollowerActions& out);

  Phase phase() const { return phase_; }
  // The last byte received of the stream, or the base's offset before any.
  Offset received() const { return received_; }

 private:
  void take_line(std::string_view line, FollowerActions& out);
  void take_handshake_line(std::string_view line, FollowerActions& out);
  void take_psync_line(std::string_view line, FollowerActions& out);
  void take_full_resync(std::string_view rest, FollowerActions& out);
  void take_continue(std::string_view rest, FollowerActions& out);
  void take_base_header(std::string_view line, FollowerActions& out);
  ByteView take_handshake_bytes(ByteView chunk, FollowerActions& out);
  ByteView take_base_bytes(ByteView chunk, FollowerActions& out);
  void ask_next(FollowerActions& out);
  void ask_psync(FollowerActions& out);
  void base_is_complete(FollowerActions& out);
  void begin_stream(FollowerActions& out);
  void send_acknowledgement(FollowerActions& out);
  void refuse(Error error, FollowerActions& out);
  bool is_refusal(std::string_view line) const;

  FollowerOptions options_;
  Phase phase_ = Phase::kPing;
  MonoTime now_{};
  MonoTime heard_{};
  MonoTime next_acknowledgement_{};
  MonoTime hurry_until_{};  // a diskless source starts the stream only after an ACK, and may miss the first ones
  std::string line_;
  std::string replid_;
  Offset received_;
  std::uint64_t base_received_bytes_ = 0;
  std::uint64_t base_left_bytes_ = 0;
  MarkFinder mark_;
  bool stream_began_ = false;
  Offset durable_;
  std::optional<Offset> fack_;
};

}  // namespace anclora::redis

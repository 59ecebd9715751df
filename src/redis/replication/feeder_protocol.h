// The primary's side of the replication protocol, for one link: bytes from the target in, replies and decisions out.
// Pure: no socket, no clock. Feeder puts it on a socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "redis/offset.h"
#include "redis/replication/target_request.h"

namespace anclora::redis {

// What a link's protocol must know of the feed; `resumable_up_to` is the last offset ever sent to this target.
struct FeederIdentity {
  std::string replication_id;  // 40 hexadecimal digits, fresh for each feed: an old replica must not fit by accident
  Offset base_offset;
  std::string user;  // empty: any name
  Secret password;   // empty: none is asked for, and any that is given is accepted
};

// The target asked for the data: everything, or what follows an offset that it has.
struct SyncRequest {
  bool full = true;
  Offset after;  // the base's offset if full
};

struct TargetFacts {
  std::string version;            // REPLCONF version: Valkey 8 and later
  std::string announced_address;  // REPLCONF ip-address
  std::uint16_t listening_port = 0;
  std::vector<std::string> capabilities;
};

// One thread at a time.
class FeederProtocol {
 public:
  // `identity` outlives it.
  FeederProtocol(const FeederIdentity& identity, Offset resumable_up_to);

  // Takes what the target sent. Errors mean "close this link": kUnauthenticated after three wrong passwords,
  // kInvalidArgument for bytes that no replica sends; send take_output() even then.
  Status receive(ByteView bytes);
  // The replies so far, to be sent in order before anything else.
  Bytes take_output() { return std::exchange(output_, {}); }
  // Set once by PSYNC. The answer line to it (FULLRESYNC or CONTINUE) is the caller's to send, when the data is at
  // hand.
  std::optional<SyncRequest> take_sync_request() { return std::exchange(sync_request_, std::nullopt); }

  // The newest REPLCONF ACK: the target has executed everything up to it.
  std::optional<Offset> acknowledged() const { return acknowledged_; }
  const TargetFacts& target() const { return target_; }

  // "+FULLRESYNC id offset\r\n" or "+CONTINUE id\r\n".
  Bytes answer(const SyncRequest& request) const;
  // "$size\r\n": before the base. Not the $EOF form, after which a stream glued to the base is lost by the target.
  static Bytes base_head(std::uint64_t size_bytes);

 private:
  Status execute(const std::vector<std::string>& words);
  Status authenticate(const std::vector<std::string>& words);
  Status configure(const std::vector<std::string>& words);
  Status synchronize(const std::vector<std::string>& words);
  void reply(std::string_view line);

  const FeederIdentity& identity_;
  Offset resumable_up_to_;
  TargetRequestParser parser_;
  Bytes output_;
  bool authenticated_;
  int wrong_passwords_ = 0;
  bool synchronizing_ = false;
  std::optional<SyncRequest> sync_request_;
  std::optional<Offset> acknowledged_;
  TargetFacts target_;
};

}  // namespace anclora::redis

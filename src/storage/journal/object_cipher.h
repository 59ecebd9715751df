// Seals and opens the frames of one stream of one object: libsodium's secretstream under a key of that stream alone, or
// a hash that binds each frame to its place. Private to frame_codec.cc. Format: docs/formats/object.md.
#pragma once

#include <sodium.h>

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace anclora::storage {

struct ObjectKey;

class ObjectCipher {
 public:
  static constexpr std::size_t kMaxOverheadBytes = 33;

  ObjectCipher(const ObjectKey& key, std::string_view object_name, std::uint32_t stream);
  ~ObjectCipher();
  ObjectCipher(const ObjectCipher&) = default;
  ObjectCipher& operator=(const ObjectCipher&) = delete;

  bool encrypted() const { return encrypted_; }
  // As written in the object's header: 1 encrypted, 2 hashes only.
  std::uint8_t mode() const { return encrypted_ ? 1 : 2; }
  std::size_t nonce_bytes() const;
  std::size_t overhead_bytes() const;

  // Before the first frame. `nonce` has nonce_bytes().
  void start(ByteView nonce);
  // Appends overhead_bytes() + frame.size() bytes.
  void seal(ByteView frame, bool last, Bytes& out);
  // Replaces `frame`. False: not the frame that belongs here, or damaged. `sealed` has at least overhead_bytes().
  bool open(ByteView sealed, Bytes& frame, bool& last);

 private:
  Hash256 frame_hash(ByteView frame, bool last) const;

  bool encrypted_;
  std::uint64_t frame_ = 0;
  Hash256 key_{};                                         // encrypted
  crypto_secretstream_xchacha20poly1305_state stream_{};  // encrypted
  crypto_generichash_state binding_{};                    // hashes only: what every frame's hash starts with
};

}  // namespace anclora::storage

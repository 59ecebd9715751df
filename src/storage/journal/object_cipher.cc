#include "storage/journal/object_cipher.h"

#include "storage/journal/frame_codec.h"
#include "storage/journal/secret_stream.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kKeyContext = "anclora object key 1";
constexpr std::string_view kHashContext = "anclora object hash 1";
constexpr std::size_t kTagBytes = 1;

// Chooses the fast implementations for this processor; safe from any thread.
void ready() {
  static const int result = sodium_init();
  static_cast<void>(result);
}

const unsigned char* octets(ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

Bytes place(std::string_view context, const ObjectKey& key, std::string_view name, std::uint32_t stream) {
  ByteWriter writer;
  writer.sized(context);
  writer.sized(key.repository_id);
  writer.sized(name);
  writer.u32(stream);
  return writer.take();
}

}  // namespace

ObjectCipher::ObjectCipher(const ObjectKey& key, std::string_view object_name, std::uint32_t stream)
    : encrypted_(key.repository_key.has_value()) {
  ready();
  if (encrypted_) {
    const Bytes where = place(kKeyContext, key, object_name, stream);
    const std::string& secret = key.repository_key->reveal();
    crypto_generichash(key_.data(), key_.size(), octets(where), where.size(), octets(secret), secret.size());
  } else {
    const Bytes where = place(kHashContext, key, object_name, stream);
    crypto_generichash_init(&binding_, nullptr, 0, Hash256{}.size());
    crypto_generichash_update(&binding_, octets(where), where.size());
  }
}

ObjectCipher::~ObjectCipher() {
  sodium_memzero(key_.data(), key_.size());
  sodium_memzero(&stream_, sizeof(stream_));
}

std::size_t ObjectCipher::nonce_bytes() const {
  return encrypted_ ? crypto_secretstream_xchacha20poly1305_HEADERBYTES : 0;
}

std::size_t ObjectCipher::overhead_bytes() const {
  return encrypted_ ? crypto_secretstream_xchacha20poly1305_ABYTES : kTagBytes + Hash256{}.size();
}

// Both sides start with init_pull: it puts the state where init_push would, but from a nonce that we are given.
void ObjectCipher::start(ByteView nonce) {
  if (encrypted_) crypto_secretstream_xchacha20poly1305_init_pull(&stream_, octets(nonce), key_.data());
}

Hash256 ObjectCipher::frame_hash(ByteView frame, bool last) const {
  ByteWriter where;
  where.u64(frame_);
  where.u8(last ? 1 : 0);
  crypto_generichash_state state = binding_;
  crypto_generichash_update(&state, octets(where.bytes()), where.size());
  crypto_generichash_update(&state, octets(frame), frame.size());
  Hash256 hash;
  crypto_generichash_final(&state, hash.data(), hash.size());
  return hash;
}

void ObjectCipher::seal(ByteView frame, bool last, Bytes& out) {
  const std::size_t before = out.size();
  if (encrypted_) {
    const unsigned char tag =
        last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    out.resize(before + frame.size() + overhead_bytes());
    push_frame(stream_, frame, tag, reinterpret_cast<unsigned char*>(out.data() + before));
  } else {
    const Hash256 hash = frame_hash(frame, last);
    out.push_back(last ? 1 : 0);
    out.append(reinterpret_cast<const char*>(hash.data()), hash.size());
    out.append(frame);
  }
  ++frame_;
}

bool ObjectCipher::open(ByteView sealed, Bytes& frame, bool& last) {
  if (encrypted_) {
    unsigned char tag = 0;
    frame.resize(sealed.size() - overhead_bytes());
    if (!pull_frame(stream_, sealed, tag, reinterpret_cast<unsigned char*>(frame.data()))) return false;
    if (tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL &&
        tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE)
      return false;
    last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  } else {
    const auto flag = static_cast<std::uint8_t>(sealed[0]);
    last = flag == 1;
    const ByteView body = sealed.substr(overhead_bytes());
    const Hash256 hash = frame_hash(body, last);
    if (flag > 1 || sodium_memcmp(hash.data(), sealed.data() + kTagBytes, hash.size()) != 0) return false;
    frame.assign(body);
  }
  ++frame_;
  return true;
}

}  // namespace anclora::storage

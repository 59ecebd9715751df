#include "storage/journal/secret_stream.h"

#include <gtest/gtest.h>

#include <cstring>

namespace anclora::storage {
namespace {

constexpr std::size_t kOverhead = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr unsigned char kMessage = crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
constexpr unsigned char kFinal = crypto_secretstream_xchacha20poly1305_TAG_FINAL;

unsigned char* octets(Bytes& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* octets(const Bytes& bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

SecretStreamState fresh_state() {
  SecretStreamState state;
  const Bytes key(crypto_secretstream_xchacha20poly1305_KEYBYTES, 'k');
  const Bytes nonce(crypto_secretstream_xchacha20poly1305_HEADERBYTES, 'n');
  EXPECT_EQ(crypto_secretstream_xchacha20poly1305_init_pull(&state, octets(nonce), octets(key)), 0);
  return state;
}

Bytes frame_of(std::size_t size) {
  Bytes frame;
  for (std::size_t i = 0; i < size; ++i) frame.push_back(static_cast<char>(i * 37 + size));
  return frame;
}

Bytes by_libsodium(SecretStreamState& state, const Bytes& frame, unsigned char tag) {
  Bytes sealed(frame.size() + kOverhead, '\0');
  crypto_secretstream_xchacha20poly1305_push(&state, octets(sealed), nullptr, octets(frame), frame.size(), nullptr, 0,
                                             tag);
  return sealed;
}

Bytes by_us(SecretStreamState& state, const Bytes& frame, unsigned char tag) {
  Bytes sealed(frame.size() + kOverhead, '\0');
  push_frame(state, frame, tag, octets(sealed));
  return sealed;
}

bool same(const SecretStreamState& a, const SecretStreamState& b) {
  return std::memcmp(a.k, b.k, sizeof(a.k)) == 0 && std::memcmp(a.nonce, b.nonce, sizeof(a.nonce)) == 0;
}

TEST(SecretStream, SealsFramesOfEverySizeToTheBytesOfLibsodium) {
  SecretStreamState ours = fresh_state(), theirs = fresh_state();
  for (std::size_t size = 0; size < 300; ++size) {
    const Bytes frame = frame_of(size);
    ASSERT_EQ(by_us(ours, frame, kMessage), by_libsodium(theirs, frame, kMessage)) << size;
  }
  for (const std::size_t size : {std::size_t{65'535}, std::size_t{65'537}, std::size_t{1'048'600}}) {
    const Bytes frame = frame_of(size);
    ASSERT_EQ(by_us(ours, frame, kMessage), by_libsodium(theirs, frame, kMessage)) << size;
  }
  EXPECT_TRUE(same(ours, theirs));
}

TEST(SecretStream, OpensTheFramesOfLibsodiumWithTheirTags) {
  SecretStreamState ours = fresh_state(), theirs = fresh_state();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{16}, std::size_t{63}, std::size_t{70'001}}) {
    for (const unsigned char tag : {kMessage, kFinal}) {
      const Bytes frame = frame_of(size);
      const Bytes sealed = by_libsodium(theirs, frame, tag);
      Bytes opened(size, '\0');
      unsigned char found = 0xff;
      ASSERT_TRUE(pull_frame(ours, sealed, found, octets(opened))) << size;
      EXPECT_EQ(opened, frame);
      EXPECT_EQ(found, tag);
    }
  }
  EXPECT_TRUE(same(ours, theirs));
}

TEST(SecretStream, ChangesItsKeyWhereLibsodiumDoes) {
  SecretStreamState ours = fresh_state();
  std::memset(ours.nonce, 0xff, 4);  // the last frame before the counter begins anew
  SecretStreamState theirs = ours;
  const Bytes frame = frame_of(100);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(by_us(ours, frame, kMessage), by_libsodium(theirs, frame, kMessage)) << i;
  ASSERT_EQ(by_us(ours, frame, kFinal), by_libsodium(theirs, frame, kFinal));
  EXPECT_TRUE(same(ours, theirs));
}

TEST(SecretStream, RefusesEveryFlippedByteAndStaysWhereItWas) {
  SecretStreamState sealing = fresh_state(), opening = fresh_state();
  const Bytes frame = frame_of(90);
  const Bytes sealed = by_us(sealing, frame, kMessage);
  Bytes opened(frame.size(), '\0');
  unsigned char tag = 0;
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Bytes flipped = sealed;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    ASSERT_FALSE(pull_frame(opening, flipped, tag, octets(opened))) << at;
  }
  EXPECT_TRUE(pull_frame(opening, sealed, tag, octets(opened)));
  EXPECT_EQ(opened, frame);
}

}  // namespace
}  // namespace anclora::storage

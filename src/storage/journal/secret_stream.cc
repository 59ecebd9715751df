#include "storage/journal/secret_stream.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

namespace anclora::storage {
namespace {

constexpr std::size_t kBlockBytes = 64;
constexpr std::size_t kMacKeyBytes = 32;
constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kCounterBytes = 4;  // of the state's nonce; the rest is its inner nonce
constexpr std::size_t kInnerNonceBytes = 8;
static_assert(crypto_secretstream_xchacha20poly1305_ABYTES == 1 + kMacBytes);

const unsigned char* octets(ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

struct Algorithms {
  EVP_CIPHER* cipher = nullptr;
  EVP_MAC* mac = nullptr;

  Algorithms() {
    ERR_set_mark();
    cipher = EVP_CIPHER_fetch(nullptr, "ChaCha20", nullptr);
    mac = EVP_MAC_fetch(nullptr, "POLY1305", nullptr);
    ERR_pop_to_mark();
  }
};

// For the whole life of the process.
const Algorithms& algorithms() {
  static const Algorithms found;
  return found;
}

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// The key stream and the sum of one frame: block 0 keys the sum, block 1 hides the tag, the frame follows.
class FrameStream {
 public:
  explicit FrameStream(const SecretStreamState& state) {
    if (algorithms().cipher == nullptr || algorithms().mac == nullptr) return;
    cipher_.reset(EVP_CIPHER_CTX_new());
    mac_.reset(EVP_MAC_CTX_new(algorithms().mac));
    if (!cipher_ || !mac_) return;
    std::array<unsigned char, 16> start{};  // a block counter of 4 bytes, then the nonce
    std::copy_n(state.nonce, sizeof(state.nonce), start.begin() + 4);
    works_ = EVP_EncryptInit_ex2(cipher_.get(), algorithms().cipher, state.k, start.data(), nullptr) == 1;
    std::array<unsigned char, kBlockBytes> block{};
    crypt(block.data(), block.data(), block.size());
    works_ = works_ && EVP_MAC_init(mac_.get(), block.data(), kMacKeyBytes, nullptr) == 1;
    OPENSSL_cleanse(block.data(), block.size());
  }

  // Both ways.
  void crypt(const unsigned char* in, unsigned char* out, std::size_t size) {
    int written = 0;
    works_ = works_ && EVP_EncryptUpdate(cipher_.get(), out, &written, in, static_cast<int>(size)) == 1 &&
             written == static_cast<int>(size);
  }
  // Hides or shows the tag; what is summed is the hidden one and the rest of its block of the key stream.
  unsigned char crypt_tag(unsigned char tag, bool hidden) {
    std::array<unsigned char, kBlockBytes> block{tag};
    crypt(block.data(), block.data(), block.size());
    const unsigned char other = block[0];
    if (hidden) block[0] = tag;
    sum(block.data(), block.size());
    OPENSSL_cleanse(block.data(), block.size());
    return other;
  }
  // The sum of the tag's block, already added, and the hidden frame.
  std::array<unsigned char, kMacBytes> finish(const unsigned char* hidden, std::size_t size) {
    sum(hidden, size);
    static constexpr std::array<unsigned char, kMacBytes> kZeros{};
    sum(kZeros.data(), size % kMacBytes);  // no full block, but this is how libsodium pads
    ByteWriter lengths;
    lengths.u64(0);
    lengths.u64(kBlockBytes + size);
    sum(octets(lengths.bytes()), lengths.size());
    std::array<unsigned char, kMacBytes> mac{};
    std::size_t written = 0;
    works_ = works_ && EVP_MAC_final(mac_.get(), mac.data(), &written, mac.size()) == 1 && written == mac.size();
    return mac;
  }
  bool works() const { return works_; }

 private:
  void sum(const unsigned char* bytes, std::size_t size) {
    works_ = works_ && (size == 0 || EVP_MAC_update(mac_.get(), bytes, size) == 1);
  }

  std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> cipher_;
  std::unique_ptr<EVP_MAC_CTX, FreeMac> mac_;
  bool works_ = false;
};

void advance(SecretStreamState& state, const unsigned char* mac, unsigned char tag) {
  for (std::size_t i = 0; i < kInnerNonceBytes; ++i) state.nonce[kCounterBytes + i] ^= mac[i];
  sodium_increment(state.nonce, kCounterBytes);
  const bool wrapped = sodium_is_zero(state.nonce, kCounterBytes) == 1;
  if (wrapped || (tag & crypto_secretstream_xchacha20poly1305_TAG_REKEY) != 0)
    crypto_secretstream_xchacha20poly1305_rekey(&state);
}

}  // namespace

void push_frame(SecretStreamState& state, ByteView frame, unsigned char tag, unsigned char* out) {
  FrameStream stream(state);
  out[0] = stream.crypt_tag(tag, false);
  stream.crypt(octets(frame), out + 1, frame.size());
  const auto mac = stream.finish(out + 1, frame.size());
  if (!stream.works()) {
    crypto_secretstream_xchacha20poly1305_push(&state, out, nullptr, octets(frame), frame.size(), nullptr, 0, tag);
    return;
  }
  std::ranges::copy(mac, out + 1 + frame.size());
  advance(state, mac.data(), tag);
}

bool pull_frame(SecretStreamState& state, ByteView sealed, unsigned char& tag, unsigned char* out) {
  const unsigned char* const hidden = octets(sealed) + 1;
  const std::size_t size = sealed.size() - crypto_secretstream_xchacha20poly1305_ABYTES;
  FrameStream stream(state);
  const unsigned char shown = stream.crypt_tag(octets(sealed)[0], true);
  const auto mac = stream.finish(hidden, size);
  if (stream.works() && sodium_memcmp(mac.data(), hidden + size, mac.size()) != 0) return false;
  stream.crypt(hidden, out, size);
  if (!stream.works())
    return crypto_secretstream_xchacha20poly1305_pull(&state, out, nullptr, &tag, octets(sealed), sealed.size(),
                                                      nullptr, 0) == 0;
  tag = shown;
  advance(state, mac.data(), tag);
  return true;
}

}  // namespace anclora::storage

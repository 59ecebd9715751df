#include "storage/journal/key_slot.h"

#include <sodium.h>

#include <array>
#include <mutex>
#include <optional>

#include "storage/journal/time_mark_codec.h"

namespace anclora::storage {
namespace {

constexpr std::uint64_t kOperations = 3;
constexpr std::uint64_t kMemoryBytes = 64 * kMiB;
// What a slot from outside may demand of us.
constexpr std::uint64_t kMaxOperations = 64;
constexpr std::uint64_t kMaxMemoryBytes = 1024 * kMiB;
constexpr std::string_view kWrapContext = "anclora key slot 1";
constexpr std::string_view kSlotMacContext = "anclora key slot mac 1";
constexpr std::string_view kConfigMacContext = "anclora config mac 1";
constexpr std::string_view kRecoveryContext = "anclora recovery slot 1";

using WrappingKey = std::array<unsigned char, crypto_aead_xchacha20poly1305_ietf_KEYBYTES>;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;

const unsigned char* octets(ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* octets(Bytes& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

Hash256 keyed_hash(const Secret& key, std::string_view context, ByteView bytes) {
  ByteWriter writer;
  writer.sized(context);
  writer.raw(bytes);
  Hash256 hash;
  crypto_generichash(hash.data(), hash.size(), octets(writer.bytes()), writer.size(), octets(ByteView(key.reveal())),
                     key.reveal().size());
  return hash;
}

// Everything that the wrapping is bound to: who changes one of these cannot open the slot any more.
Bytes bound_fields(const KeySlot& slot) {
  ByteWriter writer;
  writer.sized(kWrapContext);
  writer.u8(static_cast<std::uint8_t>(slot.kind));
  writer.sized(slot.repository_id);
  encode_wall_time(writer, slot.created);
  writer.sized(slot.salt);
  writer.u64(slot.operations);
  writer.u64(slot.memory_bytes);
  return writer.take();
}

Hash256 slot_mac(const KeySlot& slot, const Secret& repository_key) {
  ByteWriter writer;
  writer.raw(bound_fields(slot));
  writer.sized(slot.nonce);
  writer.sized(slot.wrapped);
  return keyed_hash(repository_key, kSlotMacContext, writer.bytes());
}

// The last key that Argon2id made here. A run opens its repository for each step anew, to see whether it is still
// there; the derivation, which is slow by intent, always comes to the same. Thread rule: any thread.
class DerivedKey {
 public:
  bool find(const Hash256& inputs, WrappingKey& key) {
    const std::lock_guard lock(mutex_);
    if (inputs_ == inputs) key = key_;
    return inputs_ == inputs;
  }
  void remember(const Hash256& inputs, const WrappingKey& key) {
    const std::lock_guard lock(mutex_);
    inputs_ = inputs;
    key_ = key;
  }
  ~DerivedKey() { sodium_memzero(key_.data(), key_.size()); }

 private:
  std::mutex mutex_;
  std::optional<Hash256> inputs_;
  WrappingKey key_{};
};

Hash256 derivation_inputs(const KeySlot& slot, std::string_view passphrase) {
  ByteWriter writer;
  writer.sized(slot.salt);
  writer.u64(slot.operations);
  writer.u64(slot.memory_bytes);
  writer.sized(passphrase);
  Bytes inputs = writer.take();
  Hash256 hash;
  crypto_generichash(hash.data(), hash.size(), octets(ByteView(inputs)), inputs.size(), nullptr, 0);
  sodium_memzero(inputs.data(), inputs.size());
  return hash;
}

Result<WrappingKey> passphrase_key(const KeySlot& slot, const Secret& passphrase) {
  if (passphrase.empty())
    return Error(ErrorKind::kInvalidArgument, "the passphrase is empty", "give one with --passphrase-file FILE");
  if (slot.operations > kMaxOperations || slot.memory_bytes > kMaxMemoryBytes)
    return Error(ErrorKind::kDataLoss, "the key slot demands more of Argon2id than the limit");
  WrappingKey key;
  const std::string& text = passphrase.reveal();
  static DerivedKey derived;
  const Hash256 inputs = derivation_inputs(slot, text);
  if (derived.find(inputs, key)) return key;
  if (crypto_pwhash(key.data(), key.size(), text.data(), text.size(), octets(ByteView(slot.salt)), slot.operations,
                    static_cast<std::size_t>(slot.memory_bytes), crypto_pwhash_ALG_ARGON2ID13) != 0)
    return Error(ErrorKind::kResourceExhausted, "not enough memory to derive the key: Argon2id takes " +
                                                    std::to_string(slot.memory_bytes / kMiB) + " MiB");
  derived.remember(inputs, key);
  return key;
}

Result<WrappingKey> recovery_wrapping_key(const KeySlot& slot, const Secret& recovery_key) {
  ASSIGN_OR_RETURN(const Secret normalized, normalize_recovery_key(recovery_key));
  // The spelling has 256 random bits; hashing it first makes a key of the length that the keyed hash takes.
  const std::string& text = normalized.reveal();
  Bytes seed(Hash256{}.size(), '\0');
  crypto_generichash(octets(seed), seed.size(), octets(ByteView(text)), text.size(), nullptr, 0);
  const Hash256 key = keyed_hash(Secret(std::move(seed)), kRecoveryContext, slot.repository_id);
  WrappingKey wrapping;
  std::copy(key.begin(), key.end(), wrapping.begin());
  return wrapping;
}

Result<WrappingKey> wrapping_key(const KeySlot& slot, const Secret& secret) {
  if (sodium_init() < 0) return Error(ErrorKind::kInternal, "libsodium does not start");
  return slot.kind == KeySlotKind::kPassphrase ? passphrase_key(slot, secret) : recovery_wrapping_key(slot, secret);
}

Result<KeySlot> wrap(KeySlot slot, const Secret& repository_key, const Secret& secret, Random& random) {
  if (repository_key.reveal().size() != kRepositoryKeyBytes)
    return Error(ErrorKind::kInternal, "a repository key has 32 bytes");
  ASSIGN_OR_RETURN(WrappingKey key, wrapping_key(slot, secret));
  slot.nonce = random.bytes(kNonceBytes);
  slot.wrapped.resize(kRepositoryKeyBytes + crypto_aead_xchacha20poly1305_ietf_ABYTES);
  const Bytes bound = bound_fields(slot);
  crypto_aead_xchacha20poly1305_ietf_encrypt(octets(slot.wrapped), nullptr, octets(ByteView(repository_key.reveal())),
                                             kRepositoryKeyBytes, octets(ByteView(bound)), bound.size(), nullptr,
                                             octets(ByteView(slot.nonce)), key.data());
  sodium_memzero(key.data(), key.size());
  slot.mac = slot_mac(slot, repository_key);
  return slot;
}

}  // namespace

std::string_view to_string(KeySlotKind kind) { return kind == KeySlotKind::kPassphrase ? "passphrase" : "recovery"; }

Secret make_repository_key(Random& random) { return Secret(random.bytes(kRepositoryKeyBytes)); }

Result<KeySlot> wrap_for_passphrase(const Secret& repository_key, ByteView repository_id, const Secret& passphrase,
                                    WallTime created, Random& random) {
  KeySlot slot;
  slot.kind = KeySlotKind::kPassphrase;
  slot.repository_id = repository_id;
  slot.created = created;
  slot.salt = random.bytes(crypto_pwhash_SALTBYTES);
  slot.operations = kOperations;
  slot.memory_bytes = kMemoryBytes;
  return wrap(std::move(slot), repository_key, passphrase, random);
}

Result<KeySlot> wrap_for_recovery_key(const Secret& repository_key, ByteView repository_id, const Secret& recovery_key,
                                      WallTime created, Random& random) {
  KeySlot slot;
  slot.kind = KeySlotKind::kRecovery;
  slot.repository_id = repository_id;
  slot.created = created;
  return wrap(std::move(slot), repository_key, recovery_key, random);
}

Result<Secret> open_key_slot(const KeySlot& slot, const Secret& secret) {
  ASSIGN_OR_RETURN(WrappingKey key, wrapping_key(slot, secret));
  const Bytes bound = bound_fields(slot);
  Bytes opened(kRepositoryKeyBytes, '\0');
  const bool right = slot.wrapped.size() == kRepositoryKeyBytes + crypto_aead_xchacha20poly1305_ietf_ABYTES &&
                     slot.nonce.size() == kNonceBytes &&
                     crypto_aead_xchacha20poly1305_ietf_decrypt(
                         octets(opened), nullptr, nullptr, octets(ByteView(slot.wrapped)), slot.wrapped.size(),
                         octets(ByteView(bound)), bound.size(), octets(ByteView(slot.nonce)), key.data()) == 0;
  sodium_memzero(key.data(), key.size());
  if (!right) {
    return Error(ErrorKind::kUnauthenticated,
                 std::string("the ") + std::string(to_string(slot.kind)) +
                     (slot.kind == KeySlotKind::kRecovery ? " key" : "") + " does not open this key slot",
                 "check it, or use another passphrase or the recovery key of this repository");
  }
  return Secret(std::move(opened));
}

Status check_key_slot(const KeySlot& slot, const Secret& repository_key) {
  const Hash256 mac = slot_mac(slot, repository_key);
  if (sodium_memcmp(mac.data(), slot.mac.data(), mac.size()) != 0)
    return Error(ErrorKind::kDataLoss, "the key slot is not as it was written: damaged or tampered with");
  return {};
}

Hash256 config_mac(const Secret& repository_key, ByteView bytes) {
  return keyed_hash(repository_key, kConfigMacContext, bytes);
}

bool config_mac_matches(const Secret& repository_key, ByteView bytes, const Hash256& mac) {
  const Hash256 right = config_mac(repository_key, bytes);
  return sodium_memcmp(right.data(), mac.data(), mac.size()) == 0;
}

}  // namespace anclora::storage

// The repository key and its wrappings: one key slot for each passphrase or recovery key. Pure but for the memory that
// Argon2id takes. Format: docs/formats/key-slot.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace anclora::storage {

inline constexpr std::size_t kRepositoryKeyBytes = 32;
inline constexpr std::size_t kMaxKeySlotBytes = 16 * kKiB;

enum class KeySlotKind : std::uint8_t { kPassphrase = 1, kRecovery = 2 };
std::string_view to_string(KeySlotKind kind);  // "passphrase", "recovery"

// A slot as it is stored. Nothing in it is secret.
struct KeySlot {
  KeySlotKind kind = KeySlotKind::kPassphrase;
  Bytes repository_id;  // 16 bytes
  WallTime created;
  Bytes salt;                      // kPassphrase: 16 bytes
  std::uint64_t operations = 0;    // kPassphrase: Argon2id's
  std::uint64_t memory_bytes = 0;  // kPassphrase: Argon2id's
  Bytes nonce;                     // 24 bytes
  Bytes wrapped;                   // the repository key, sealed: 48 bytes
  Hash256 mac{};                   // of all of the above under the repository key
};

Secret make_repository_key(Random& random);

// A key to print once and keep in a safe: 14 groups of 4 letters and digits, the last characters a checksum.
Secret make_recovery_key(Random& random);
// The same key in its one spelling. Takes lower case, blanks and dashes anywhere, O for 0, I and L for 1.
// kInvalidArgument when it is no recovery key (mistyped: the checksum finds all but one in 16 million).
Result<Secret> normalize_recovery_key(const Secret& typed);

// Wraps the key for a passphrase with Argon2id (64 MiB, 3 passes: about 0.2 s) or for a recovery key.
// kInvalidArgument: an empty passphrase, a mistyped recovery key; kResourceExhausted: no memory for Argon2id.
Result<KeySlot> wrap_for_passphrase(const Secret& repository_key, ByteView repository_id, const Secret& passphrase,
                                    WallTime created, Random& random);
Result<KeySlot> wrap_for_recovery_key(const Secret& repository_key, ByteView repository_id, const Secret& recovery_key,
                                      WallTime created, Random& random);

// The repository key. `secret` is the passphrase or the recovery key, as the slot's kind says.
// kUnauthenticated: not this slot's secret, or the slot was changed; else as wrap_*().
Result<Secret> open_key_slot(const KeySlot& slot, const Secret& secret);
// kDataLoss when the slot is not as it was written by somebody who had the repository key.
Status check_key_slot(const KeySlot& slot, const Secret& repository_key);

// JSON. decode: kDataLoss naming the field; kUnsupported for a newer version.
Bytes encode_key_slot(const KeySlot& slot);
Result<KeySlot> decode_key_slot(ByteView json);

// Authenticates `bytes` (the configuration) under the repository key.
Hash256 config_mac(const Secret& repository_key, ByteView bytes);
// In constant time.
bool config_mac_matches(const Secret& repository_key, ByteView bytes, const Hash256& mac);

}  // namespace anclora::storage

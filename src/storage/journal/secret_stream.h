// Frames of libsodium's secretstream, byte for byte, by OpenSSL's ChaCha20 and Poly1305: a third of the time. Where
// these are not there (another provider), by libsodium. Private to object_cipher.cc. See docs/adr/0016.
#pragma once

#include <sodium.h>

#include "base/bytes.h"

namespace anclora::storage {

using SecretStreamState = crypto_secretstream_xchacha20poly1305_state;

// As crypto_secretstream_xchacha20poly1305_push() without additional data. `out` has room for
// crypto_secretstream_xchacha20poly1305_ABYTES more than `frame`, and is not in it.
void push_frame(SecretStreamState& state, ByteView frame, unsigned char tag, unsigned char* out);

// As ..._pull(). False: not the frame that comes next; `state` stays as it was. `sealed` has at least ABYTES; `out` has
// room for the rest.
bool pull_frame(SecretStreamState& state, ByteView sealed, unsigned char& tag, unsigned char* out);

}  // namespace anclora::storage

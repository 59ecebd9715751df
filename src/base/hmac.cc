#include "base/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace anclora {

Bytes hmac_sha256(ByteView key, ByteView message) {
  Bytes out(32, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
       message.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

}  // namespace anclora

// The printed form of a recovery key: Crockford's base 32, which has no letters that look like others.
#include <sodium.h>

#include <array>

#include "storage/journal/key_slot.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kCheckBytes = 3;
constexpr std::size_t kAllBytes = kRepositoryKeyBytes + kCheckBytes;
constexpr std::size_t kDigits = kAllBytes * 8 / 5;
constexpr std::size_t kGroup = 4;
constexpr std::size_t kMaxTypedBytes = 512;
static_assert(kAllBytes * 8 % 5 == 0 && kDigits % kGroup == 0);

Bytes check_bytes(ByteView key) {
  const Hash256 hash = hash256("anclora recovery key 1" + Bytes(key));
  return Bytes(reinterpret_cast<const char*>(hash.data()), kCheckBytes);
}

std::string spell(ByteView bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned have = 0;
  std::size_t digits = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (have += 8; have >= 5; have -= 5) {
      if (digits > 0 && digits % kGroup == 0) text.push_back('-');
      text.push_back(kAlphabet[(bits >> (have - 5)) & 31]);
      ++digits;
    }
  }
  return text;
}

// 0 to 31, or 32 for what is skipped, or 33 for what is wrong.
constexpr unsigned kSkipped = 32;
constexpr unsigned kWrong = 33;
unsigned digit_of(char c) {
  if (c == ' ' || c == '-' || c == '\t' || c == '\r' || c == '\n') return kSkipped;
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  const std::size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? kWrong : static_cast<unsigned>(at);
}

}  // namespace

Secret make_recovery_key(Random& random) {
  Bytes bytes = random.bytes(kRepositoryKeyBytes);
  bytes += check_bytes(bytes);
  Secret key(spell(bytes));
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

Result<Secret> normalize_recovery_key(const Secret& typed) {
  const Error mistyped(ErrorKind::kInvalidArgument, "this is not a recovery key, or it is mistyped",
                       "it has 14 groups of 4 characters, as anclora init printed it");
  std::string bytes;
  bytes.reserve(kAllBytes);
  std::uint32_t bits = 0;
  unsigned have = 0;
  std::size_t digits = 0;
  if (typed.reveal().size() > kMaxTypedBytes) return mistyped;
  for (const char c : typed.reveal()) {
    const unsigned digit = digit_of(c);
    if (digit == kSkipped) continue;
    if (digit == kWrong || ++digits > kDigits) return mistyped;
    bits = (bits << 5) | digit;
    have += 5;
    if (have >= 8) {
      have -= 8;
      bytes.push_back(static_cast<char>((bits >> have) & 0xff));
    }
  }
  const bool right = digits == kDigits && check_bytes(ByteView(bytes).substr(0, kRepositoryKeyBytes)) ==
                                              ByteView(bytes).substr(kRepositoryKeyBytes);
  Secret key(right ? spell(bytes) : std::string());
  sodium_memzero(bytes.data(), bytes.size());
  if (!right) return mistyped;
  return key;
}

}  // namespace anclora::storage

#include "respond/runbook/hash_seal.h"

namespace anclora::respond {
namespace {

constexpr std::string_view kHashKey = ",\"hash\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kTailBytes = kHashKey.size() + kHexDigits + kEnd.size();

}  // namespace

std::string seal_line(std::string object, Hash256& hash) {
  object.pop_back();  // the closing brace
  hash = hash256(object);
  return object.append(kHashKey).append(to_hex(hash)).append(kEnd);
}

Result<Hash256> check_seal(std::string_view line) {
  if (line.size() < kTailBytes || line.substr(line.size() - kTailBytes, kHashKey.size()) != kHashKey)
    return Error(ErrorKind::kDataLoss, "it does not end in a hash");
  const auto hash = parse_hash(line.substr(line.size() - kHexDigits - kEnd.size(), kHexDigits));
  if (!hash || *hash != hash256(line.substr(0, line.size() - kTailBytes)))
    return Error(ErrorKind::kDataLoss, "its hash does not fit its content");
  return hash;
}

Result<Hash256> parse_hash(std::string_view hex) {
  Hash256 hash{};
  const Result<Bytes> bytes = from_hex(std::string(hex));
  if (!bytes || bytes->size() != hash.size()) return Error(ErrorKind::kDataLoss, "a hash that is none");
  for (std::size_t i = 0; i < hash.size(); ++i) hash[i] = static_cast<std::uint8_t>((*bytes)[i]);
  return hash;
}

}  // namespace anclora::respond

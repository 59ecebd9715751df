#include "base/random.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace anclora {
namespace {

class SystemRandom final : public Random {
 public:
  SystemRandom() {
    if (sodium_init() < 0) std::abort();  // without a source of randomness no key may be made
  }
  std::uint64_t next_u64() override {
    std::uint64_t value = 0;
    randombytes_buf(&value, sizeof(value));
    return value;
  }
  Bytes bytes(std::size_t size) override {
    Bytes out(size, '\0');
    randombytes_buf(out.data(), out.size());
    return out;
  }
};

}  // namespace

Random& system_random() {
  static SystemRandom random;
  return random;
}

// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
std::uint64_t SeededRandom::next_u64() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

Bytes SeededRandom::bytes(std::size_t size) {
  Bytes out(size, '\0');
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t value = next_u64();
    std::memcpy(out.data() + at, &value, std::min(sizeof(value), size - at));
  }
  return out;
}

}  // namespace anclora

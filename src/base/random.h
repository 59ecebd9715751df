// Randomness, injected, so that a failing random test can be run again from its seed.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace anclora {

// Thread rule: SystemRandom from any thread; SeededRandom from one.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next_u64() = 0;
  // `size` bytes; unpredictable from SystemRandom.
  virtual Bytes bytes(std::size_t size) = 0;
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next_u64() % bound; }
};

// The operating system's generator; lives for ever.
Random& system_random();

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next_u64() override;
  Bytes bytes(std::size_t size) override;

 private:
  std::uint64_t state_;
};

}  // namespace anclora

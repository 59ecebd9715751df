// The beacon: a key that we write on a steady beat, so that a restored dataset tells by itself how old it is, in
// seconds and in beats. Its value is "<microseconds since 1970> <beat>". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace anclora::respond {

struct Beacon {
  WallTime at;
  std::uint64_t beat = 0;
  std::string to_string() const;
  // kDataLoss unless exactly what to_string() gives.
  static Result<Beacon> parse(std::string_view text);
};

}  // namespace anclora::respond

// Redis's CRC-64: the "Jones" polynomial 0xad93d23594c935a9, reflected in and out, first value 0, no final xor.
// crc64("123456789") is e9c6d914c4b8d9ca. An RDB file ends with it, little-endian, over everything before it; 0 there
// means that none was computed. Carry-less multiplication is used where the processor has it (some 10 GB/s), tables of
// eight bytes at a time elsewhere.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace anclora::redis {

// The checksum of what gave `crc` followed by `bytes`; start with 0. Any thread.
std::uint64_t crc64(std::uint64_t crc, ByteView bytes);

// The checksum of A followed by B from those of each, so that parts may be summed apart. B is `second_size` bytes long.
std::uint64_t crc64_combine(std::uint64_t first, std::uint64_t second, std::uint64_t second_size);

// The two ways to compute it, for tests and measurements; the second only where has_carryless_multiply().
namespace crc64_ways {
std::uint64_t by_tables(std::uint64_t crc, ByteView bytes);
std::uint64_t by_carryless_multiply(std::uint64_t crc, ByteView bytes);
bool has_carryless_multiply();
}  // namespace crc64_ways

}  // namespace anclora::redis

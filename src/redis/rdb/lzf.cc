#include "redis/rdb/lzf.h"

namespace anclora::redis {

Result<Bytes> lzf_decompress(ByteView packed, std::size_t size) {
  const auto bad = [] { return Error(ErrorKind::kDataLoss, "a compressed string does not decompress"); };
  Bytes out;
  std::size_t at = 0;
  const auto byte = [&](std::size_t index) {
    return static_cast<std::size_t>(static_cast<unsigned char>(packed[index]));
  };
  while (at < packed.size()) {
    const std::size_t control = byte(at++);
    if (control < 32) {
      const std::size_t run = control + 1;
      if (run > packed.size() - at || run > size - out.size()) return bad();
      out.append(packed.substr(at, run));
      at += run;
      continue;
    }
    std::size_t length = control >> 5;
    if (length == 7) {
      if (at >= packed.size()) return bad();
      length += byte(at++);
    }
    length += 2;
    if (at >= packed.size()) return bad();
    const std::size_t distance = ((control & 0x1f) << 8 | byte(at++)) + 1;
    if (distance > out.size() || length > size - out.size()) return bad();
    // Source and destination may overlap: a run is repeated byte by byte.
    for (std::size_t i = 0; i < length; ++i) out.push_back(out[out.size() - distance]);
  }
  if (out.size() != size) return bad();
  return out;
}

}  // namespace anclora::redis

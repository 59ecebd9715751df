// LZF, the compression of single strings inside an RDB file (encoding 3 of a string).
#pragma once

#include "base/bytes.h"

namespace anclora::redis {

// The `size` bytes that `packed` stands for; kDataLoss when it stands for more, fewer, or nonsense. Memory grows with
// what is really decoded, never ahead of it. Any thread.
Result<Bytes> lzf_decompress(ByteView packed, std::size_t size);

}  // namespace anclora::redis

// Small sealed objects (checkpoints, pins, records, manifests): written once, read whole.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"
#include "storage/repository/repository.h"

namespace anclora::storage {

inline constexpr std::uint64_t kMaxDocumentBytes = 64 * kMiB;

Result<bool> object_exists(ReadStore& store, const std::string& name);
// What was sealed under this name. kNotFound; kDataLoss when it does not open; kResourceExhausted when it is longer.
Result<Bytes> read_sealed(ReadStore& store, const Repository& repository, const std::string& name,
                          std::uint64_t max_bytes = kMaxDocumentBytes);
// Seals and puts. A taken name and a lost reply are settled by reading back: true when my bytes stand there, false when
// others do. kUnavailable or kDeadlineExceeded: not settled.
Result<bool> create_sealed(AppendStore& store, const Repository& repository, const std::string& name, ByteView content,
                           Random& random);
// The same for bytes as they are.
Result<bool> create_object(AppendStore& store, const std::string& name, ByteView bytes);

}  // namespace anclora::storage

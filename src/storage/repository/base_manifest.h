// The last object of a base: what it is, its parts, and the hash of all. For the .cc files of this folder.
// Format: docs/formats/base.md.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/repository/source_state.h"

namespace anclora::storage {

struct BasePart {
  std::uint64_t plain_bytes = 0;
  std::uint64_t stored_bytes = 0;
};

struct BaseManifest {
  BaseInfo base;
  Hash256 hash{};  // BLAKE2b-256 of the RDB
  std::vector<BasePart> parts;
};

Bytes encode_base_manifest(const BaseManifest& manifest);
// kDataLoss when it does not add up; kUnsupported for a newer format.
Result<BaseManifest> decode_base_manifest(ByteView content, std::string_view object_name);

}  // namespace anclora::storage

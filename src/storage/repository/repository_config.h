// The object "config": what a program must know before it may touch a repository. For the .cc files of this folder.
// Format: docs/formats/repository.md.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "storage/journal/frame_codec.h"

namespace anclora::storage {

inline constexpr std::uint64_t kRepositoryFormat = 1;

struct RepositoryConfig {
  std::string id;  // 32 hex digits
  bool encrypted = true;
  bool single_writer = false;
  bool command_frames = true;  // objects may hold command frames (docs/formats/command-frame.md)
  WallTime created;
};

// JSON text that ends in its own MAC (under the repository key; without encryption a hash).
Bytes encode_config(const RepositoryConfig& config, const ObjectKey& key);
// Reads without the key: kUnsupported for a newer format or an unknown required feature, naming the release to install;
// kDataLoss when it is no configuration. What it says is to be believed only after check_config().
Result<RepositoryConfig> decode_config(ByteView text);
// kDataLoss when the MAC is not that of this text.
Status check_config(ByteView text, const ObjectKey& key);

}  // namespace anclora::storage

// Opens compressed frames: zstd's own, and command frames. One thread. Formats: docs/formats/object.md,
// command-frame.md.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "base/bytes.h"

namespace anclora::storage {

inline constexpr std::size_t kFrameBytes = kMiB;  // plain bytes of a frame, at most
// Before the body of a command frame, which is a zstd frame, stand this and the number of plain bytes (u32).
inline constexpr ByteView kCommandFrameMagic = "ADRC";
inline constexpr std::size_t kCommandFrameHeadBytes = 8;

// Else it is zstd's.
inline bool is_command_frame(ByteView frame) {
  return frame.size() >= kCommandFrameHeadBytes && frame.starts_with(kCommandFrameMagic);
}

class FrameUnpacker {
 public:
  FrameUnpacker();
  ~FrameUnpacker();
  FrameUnpacker(FrameUnpacker&&) noexcept;
  // What the frame declares; nullopt: nothing, or more than kFrameBytes.
  static std::optional<std::size_t> plain_bytes(ByteView frame);
  // Writes the frame's plain bytes, exactly `size` as it declares. False: it does not hold them.
  bool unpack(ByteView frame, char* out, std::size_t size);
  // The frame's plain bytes, until the next call; nullopt: it is damaged.
  std::optional<ByteView> unpack(ByteView frame);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anclora::storage

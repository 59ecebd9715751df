#include "storage/journal/frame_unpacker.h"

#include <zstd.h>

#include <cstdint>
#include <cstring>

#include "storage/journal/command_frame_decoder.h"

namespace anclora::storage {
namespace {

constexpr int kMaxWindowLog = 20;  // of kFrameBytes: no frame refers further back

struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::optional<std::size_t> limited(unsigned long long size) {
  if (size > kFrameBytes) return std::nullopt;  // as are zstd's "unknown" and "error"
  return static_cast<std::size_t>(size);
}

std::optional<std::size_t> zstd_bytes(ByteView frame) {
  return limited(ZSTD_getFrameContentSize(frame.data(), frame.size()));
}

}  // namespace

struct FrameUnpacker::State {
  State() { ZSTD_DCtx_setParameter(zstd.get(), ZSTD_d_windowLogMax, kMaxWindowLog); }

  std::unique_ptr<ZSTD_DCtx, FreeDecompressor> zstd{ZSTD_createDCtx()};
  CommandFrameDecoder commands;
  Bytes plain;

  bool unzstd(ByteView frame, char* out, std::size_t size) {
    return ZSTD_decompressDCtx(zstd.get(), out, size, frame.data(), frame.size()) == size;
  }
  std::optional<ByteView> unpack_commands(ByteView frame, std::size_t size) {
    frame.remove_prefix(kCommandFrameHeadBytes);
    const std::optional<std::size_t> body_bytes = zstd_bytes(frame);
    if (!body_bytes || !unzstd(frame, commands.body(*body_bytes), *body_bytes)) return std::nullopt;
    return commands.decode(size);
  }
};

FrameUnpacker::FrameUnpacker() : state_(std::make_unique<State>()) {}
FrameUnpacker::~FrameUnpacker() = default;
FrameUnpacker::FrameUnpacker(FrameUnpacker&&) noexcept = default;

std::optional<std::size_t> FrameUnpacker::plain_bytes(ByteView frame) {
  if (!is_command_frame(frame)) return zstd_bytes(frame);
  std::uint32_t size = 0;
  for (std::size_t i = kCommandFrameHeadBytes; i > kCommandFrameMagic.size(); --i)
    size = size << 8 | static_cast<std::uint8_t>(frame[i - 1]);
  return limited(size);
}

bool FrameUnpacker::unpack(ByteView frame, char* out, std::size_t size) {
  if (!is_command_frame(frame)) return state_->unzstd(frame, out, size);
  const std::optional<ByteView> plain = state_->unpack_commands(frame, size);
  if (!plain) return false;
  std::memcpy(out, plain->data(), size);
  return true;
}

std::optional<ByteView> FrameUnpacker::unpack(ByteView frame) {
  const std::optional<std::size_t> size = plain_bytes(frame);
  if (!size) return std::nullopt;
  if (is_command_frame(frame)) return state_->unpack_commands(frame, *size);
  if (state_->plain.size() < *size) state_->plain.resize(*size);
  if (!state_->unzstd(frame, state_->plain.data(), *size)) return std::nullopt;
  return ByteView(state_->plain.data(), *size);
}

}  // namespace anclora::storage

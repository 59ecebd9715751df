#include "storage/journal/frame_compressor.h"

#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_c_literalCompressionMode
#include <zstd.h>

#include <string>

#include "storage/journal/command_frame_encoder.h"

namespace anclora::storage {
namespace {

constexpr int kLevel = 1;
constexpr int kCommandHashLog = 12;
constexpr int kCommandStep = 2;
constexpr int kCommandWindowLog = 20;  // of kFrameBytes

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
using Compressor = std::unique_ptr<ZSTD_CCtx, FreeCompressor>;

Compressor make_compressor() {
  Compressor context(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  return context;
}

Compressor make_command_compressor(ZSTD_paramSwitch_e entropy) {
  Compressor context = make_compressor();
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_strategy, ZSTD_fast);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, kCommandWindowLog);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_hashLog, kCommandHashLog);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_minMatch, ZSTD_MINMATCH_MAX);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_targetLength, kCommandStep);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_literalCompressionMode, entropy);
  return context;
}

}  // namespace

struct FrameCompressor::State {
  explicit State(FrameTuning wanted)
      : tuning(wanted),
        compressor(wanted == FrameTuning::kAnything ? make_compressor() : make_command_compressor(ZSTD_ps_enable)) {}

  FrameTuning tuning;
  Compressor compressor;
  // What differs between commands is packed bytes: mostly there is little left for an entropy coder, and much work.
  Compressor body_compressor = make_command_compressor(ZSTD_ps_disable);
  bool bodies_repeat = false;  // the last one did: one job's number in many commands
  CommandFrameEncoder encoder;
  FrameUnpacker unpacker;
  std::unique_ptr<char[]> compressed =
      std::make_unique_for_overwrite<char[]>(kCommandFrameHeadBytes + ZSTD_compressBound(kFrameBytes));

  // A command frame that does not hold its commands would be our own mistake: zstd holds them then.
  Result<CompressedFrame> compress(ByteView plain) {
    if (const auto body = tuning == FrameTuning::kCommands ? encoder.encode(plain) : std::nullopt) {
      ASSIGN_OR_RETURN(const ByteView frame, pack_body(*body, plain.size()));
      if (unpacker.unpack(frame) == plain) return made(frame, plain);
    }
    ASSIGN_OR_RETURN(const ByteView frame, pack(compressor.get(), plain, 0));
    if (unpacker.unpack(frame) == plain) return made(frame, plain);
    return Error(ErrorKind::kDataLoss, "a frame that was just compressed does not decompress to the same bytes",
                 "this points to faulty memory or processor: run capture on another machine");
  }

  static CompressedFrame made(ByteView frame, ByteView plain) {
    return {Bytes(frame), static_cast<std::uint32_t>(plain.size())};
  }

  Result<ByteView> pack_body(const CommandFrameEncoder::Body& body, std::size_t plain_bytes) {
    const bool as_text = bodies_repeat || body.verbatim_bytes > body.bytes.size() / 2;
    const std::size_t head = write_head(plain_bytes);
    ASSIGN_OR_RETURN(const ByteView frame, pack(as_text ? compressor.get() : body_compressor.get(), body.bytes, head));
    bodies_repeat = frame.size() < body.bytes.size() / 4 * 3;
    return frame;
  }

  // Behind the `head` bytes that stand in `compressed`.
  Result<ByteView> pack(ZSTD_CCtx* context, ByteView content, std::size_t head) {
    const std::size_t size = ZSTD_compress2(context, compressed.get() + head, ZSTD_compressBound(kFrameBytes),
                                            content.data(), content.size());
    if (ZSTD_isError(size)) return Error(ErrorKind::kInternal, std::string("zstd: ") + ZSTD_getErrorName(size));
    return ByteView(compressed.get(), head + size);
  }

  std::size_t write_head(std::size_t plain_bytes) {
    ByteWriter writer;
    writer.raw(kCommandFrameMagic);
    writer.u32(static_cast<std::uint32_t>(plain_bytes));
    writer.bytes().copy(compressed.get(), kCommandFrameHeadBytes);
    return kCommandFrameHeadBytes;
  }
};

FrameCompressor::FrameCompressor(FrameTuning tuning) : state_(std::make_unique<State>(tuning)) {}
FrameCompressor::~FrameCompressor() = default;

Result<std::vector<CompressedFrame>> FrameCompressor::compress(ByteView plain, std::size_t frame_bytes) {
  std::vector<CompressedFrame> frames;
  frames.reserve(plain.size() / frame_bytes + 1);
  do {  // an empty object has one frame too: the final one
    const ByteView piece = plain.substr(0, frame_bytes);
    ASSIGN_OR_RETURN(CompressedFrame frame, state_->compress(piece));
    frames.push_back(std::move(frame));
    plain.remove_prefix(piece.size());
  } while (!plain.empty());
  return frames;
}

}  // namespace anclora::storage

#include "storage/journal/frame_compressor.h"

#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_c_literalCompressionMode
#include <zstd.h>

#include <string>
#include <utility>

#include "storage/journal/command_frame_encoder.h"

namespace anclora::storage {
namespace {

constexpr int kLevel = 1;
constexpr int kCommandHashLog = 12;
constexpr int kCommandStep = 2;
constexpr int kBodyStep = 16;          // a body in which there is something to find goes another way
constexpr int kCommandWindowLog = 20;  // of kFrameBytes
constexpr unsigned kLookEvery = 64;    // frames

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
using Compressor = std::unique_ptr<ZSTD_CCtx, FreeCompressor>;

Compressor make_compressor() {
  Compressor context(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  return context;
}

Compressor make_command_compressor(int step, ZSTD_paramSwitch_e entropy) {
  Compressor context = make_compressor();
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_strategy, ZSTD_fast);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, kCommandWindowLog);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_hashLog, kCommandHashLog);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_minMatch, ZSTD_MINMATCH_MAX);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_targetLength, step);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_literalCompressionMode, entropy);
  return context;
}

BodyMaker our_body_maker() {
  return [encoder = std::make_shared<CommandFrameEncoder>()](ByteView plain) { return encoder->encode(plain); };
}

}  // namespace

struct FrameCompressor::State {
  State(FrameTuning wanted, BodyMaker maker)
      : tuning(wanted),
        make_body(std::move(maker)),
        compressor(wanted == FrameTuning::kAnything ? make_compressor()
                                                    : make_command_compressor(kCommandStep, ZSTD_ps_enable)) {}

  FrameTuning tuning;
  BodyMaker make_body;
  Compressor compressor;
  Compressor body_compressor = make_command_compressor(kBodyStep, ZSTD_ps_disable);
  // What holds the commands of now best: found out with one frame, right for the next ones.
  enum class Way : std::uint8_t {
    kPacked,   // command frames; what differs is packed bytes, in which an entropy coder finds little with much work
    kEntropy,  // command frames; it does find something: one job's number in many commands, small numbers
    kZstd,     // which makes frames as small with less work then
  };
  Way way = Way::kPacked;
  unsigned frames_to_look = 0;
  FrameUnpacker unpacker;
  std::unique_ptr<char[]> compressed =
      std::make_unique_for_overwrite<char[]>(kCommandFrameHeadBytes + ZSTD_compressBound(kFrameBytes));

  Result<CompressedFrame> compress(ByteView plain) {
    if (tuning == FrameTuning::kCommands && plain.size() >= CommandFrameEncoder::kMinPlainBytes) {
      ASSIGN_OR_RETURN(std::optional<CompressedFrame> frame, compress_commands(plain));
      if (frame) return *std::move(frame);
    }
    ASSIGN_OR_RETURN(const ByteView frame, pack(compressor.get(), plain, 0));
    if (unpacker.unpack(frame) == plain) return made(frame, plain);
    return Error(ErrorKind::kDataLoss, "a frame that was just compressed does not decompress to the same bytes",
                 "this points to faulty memory or processor: run capture on another machine");
  }

  // nullopt: zstd does better. A frame that does not hold its commands would be our own mistake: zstd holds them then.
  Result<std::optional<CompressedFrame>> compress_commands(ByteView plain) {
    const bool looks = frames_to_look == 0;
    if (!looks) --frames_to_look;
    if (way == Way::kZstd && !looks) return std::nullopt;
    const auto body = make_body(plain);
    if (!body) return std::nullopt;  // the look is taken at the next frame that has one
    if (looks) RETURN_IF_ERROR(choose(*body, plain));
    if (way == Way::kZstd) return std::nullopt;
    ZSTD_CCtx* const context = way == Way::kEntropy ? compressor.get() : body_compressor.get();
    ASSIGN_OR_RETURN(const ByteView frame, pack(context, *body, write_head(plain.size())));
    if (unpacker.unpack(frame) != plain) return std::nullopt;
    return made(frame, plain);
  }

  Status choose(ByteView body, ByteView plain) {
    frames_to_look = kLookEvery - 1;
    ASSIGN_OR_RETURN(const ByteView packed_body, pack(compressor.get(), body, 0));
    const std::size_t size = packed_body.size();
    way = Way::kPacked;
    if (size >= body.size() / 4 * 3) return {};
    ASSIGN_OR_RETURN(const ByteView packed_plain, pack(compressor.get(), plain, 0));
    way = packed_plain.size() <= size + size / 20 ? Way::kZstd : Way::kEntropy;
    return {};
  }

  static CompressedFrame made(ByteView frame, ByteView plain) {
    return {Bytes(frame), static_cast<std::uint32_t>(plain.size())};
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

FrameCompressor::FrameCompressor(FrameTuning tuning) : FrameCompressor(tuning, our_body_maker()) {}
FrameCompressor::FrameCompressor(FrameTuning tuning, BodyMaker make_body)
    : state_(std::make_unique<State>(tuning, std::move(make_body))) {}
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

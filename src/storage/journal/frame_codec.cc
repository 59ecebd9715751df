#include "storage/journal/frame_codec.h"

#include <zstd.h>

#include <algorithm>

#include "storage/journal/damage_hint.h"
#include "storage/journal/newer_format.h"
#include "storage/journal/object_cipher.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kMagic = "ADRO";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kFixedHeaderBytes = 6;  // magic, version, mode
constexpr std::size_t kLengthBytes = 4;

std::size_t max_sealed_frame_bytes() {
  return kCommandFrameHeadBytes + ZSTD_compressBound(kFrameBytes) + ObjectCipher::kMaxOverheadBytes;
}

std::uint32_t read_u32(const char* bytes) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < kLengthBytes; ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

}  // namespace

struct ObjectSealer::State {
  // The nonce is drawn here, so that nothing depends on header() being called before seal().
  State(const ObjectKey& key, std::string_view object_name, std::uint32_t stream, Random& random)
      : cipher(key, object_name, stream), header(kMagic) {
    header.push_back(static_cast<char>(kVersion));
    header.push_back(static_cast<char>(cipher.mode()));
    const Bytes nonce = random.bytes(cipher.nonce_bytes());
    cipher.start(nonce);
    header += nonce;
  }

  ObjectCipher cipher;
  Bytes header;
};

ObjectSealer::ObjectSealer(const ObjectKey& key, std::string_view object_name, std::uint32_t stream, Random& random)
    : state_(std::make_unique<State>(key, object_name, stream, random)) {}
ObjectSealer::~ObjectSealer() = default;

Bytes ObjectSealer::header() { return state_->header; }

Bytes ObjectSealer::seal(const CompressedFrame& frame, bool last) {
  Bytes out;
  out.reserve(kLengthBytes + frame.bytes.size() + ObjectCipher::kMaxOverheadBytes);
  seal(frame, last, out);
  return out;
}

void ObjectSealer::seal(const CompressedFrame& frame, bool last, Bytes& out) {
  const std::size_t size = frame.bytes.size() + state_->cipher.overhead_bytes();
  for (unsigned i = 0; i < kLengthBytes; ++i) out.push_back(static_cast<char>((size >> (8 * i)) & 0xff));
  state_->cipher.seal(frame.bytes, last, out);
}

struct ObjectOpener::State {
  State(const ObjectKey& key, std::string_view object_name, std::uint32_t stream)
      : cipher(key, object_name, stream), name(object_name) {}

  ObjectCipher cipher;
  std::string name;
  FrameUnpacker unpacker;
  Bytes pending;  // the start of what is not complete yet: the header or a frame
  Bytes compressed;
  std::uint64_t frame = 0;
  bool started = false;
  bool finished = false;
  std::vector<CompressedFrame>* kept = nullptr;
  bool unpacks = true;

  Error damaged(std::string_view why) const {
    return Error(ErrorKind::kDataLoss, name + ": frame " + std::to_string(frame) + ": " + std::string(why),
                 kDamageHint);
  }
  std::size_t header_bytes() const { return kFixedHeaderBytes + cipher.nonce_bytes(); }
  Result<std::size_t> wanted() const;
  Status read_header(ByteView header);
  Status read_frame(ByteView frame_bytes, Bytes& plain);
  Result<std::size_t> take(ByteView sealed, Bytes& plain, bool& progressed);
};

Status ObjectOpener::State::read_header(ByteView header) {
  if (header.substr(0, kMagic.size()) != kMagic)
    return Error(ErrorKind::kDataLoss, name + ": not an object of Anclora DR, or its first bytes are damaged");
  const auto version = static_cast<std::uint8_t>(header[kMagic.size()]);
  if (version != kVersion) {
    return newer_format(name + ": written in object format " + std::to_string(version) + ", this program reads " +
                        std::to_string(kVersion));
  }
  if (static_cast<std::uint8_t>(header[kMagic.size() + 1]) != cipher.mode())
    return Error(ErrorKind::kDataLoss, name + ": sealed in another way than this repository's objects");
  cipher.start(header.substr(kFixedHeaderBytes));
  started = true;
  return {};
}

Status ObjectOpener::State::read_frame(ByteView frame_bytes, Bytes& plain) {
  bool last = false;
  if (!cipher.open(frame_bytes, compressed, last)) {
    return damaged("does not open: damaged, out of order, another object's, or sealed with another key");
  }
  const std::optional<std::size_t> size = FrameUnpacker::plain_bytes(compressed);
  if (!size) return damaged("declares no size or one above the limit");
  if (unpacks) {
    const std::size_t before = plain.size();
    bool whole = false;
    plain.resize_and_overwrite(before + *size, [&](char* out, std::size_t) {
      whole = unpacker.unpack(compressed, out + before, *size);
      return before + (whole ? *size : 0);
    });
    if (!whole) return damaged("does not decompress");
  }
  ++frame;
  finished = last;
  if (kept != nullptr) kept->push_back({compressed, static_cast<std::uint32_t>(*size)});
  return {};
}

// How many bytes the piece that comes next has, as far as is known from `pending`.
Result<std::size_t> ObjectOpener::State::wanted() const {
  if (!started) return header_bytes();
  if (pending.size() < kLengthBytes) return kLengthBytes;
  const std::uint32_t size = read_u32(pending.data());
  if (size < cipher.overhead_bytes() || size > max_sealed_frame_bytes()) return damaged("has an impossible length");
  return kLengthBytes + size;
}

// One step: the header, a length, or a frame. `progressed` is false when `sealed` is used up before that.
Result<std::size_t> ObjectOpener::State::take(ByteView sealed, Bytes& plain, bool& progressed) {
  if (started && pending.empty() && sealed.size() >= kLengthBytes) {  // mostly a frame is there whole
    const std::uint32_t size = read_u32(sealed.data());
    if (size >= cipher.overhead_bytes() && size <= max_sealed_frame_bytes() && size <= sealed.size() - kLengthBytes) {
      progressed = true;
      RETURN_IF_ERROR(read_frame(sealed.substr(kLengthBytes, size), plain));
      return kLengthBytes + size;
    }
  }
  ASSIGN_OR_RETURN(const std::size_t need, wanted());
  const std::size_t used = std::min(need - pending.size(), sealed.size());
  pending.append(sealed.substr(0, used));
  progressed = pending.size() == need;
  if (!progressed) return used;
  if (!started) {
    RETURN_IF_ERROR(read_header(pending));
    pending.clear();
  } else if (need > kLengthBytes) {
    RETURN_IF_ERROR(read_frame(ByteView(pending).substr(kLengthBytes), plain));
    pending.clear();
  }
  return used;
}

ObjectOpener::ObjectOpener(const ObjectKey& key, std::string_view object_name, std::uint32_t stream)
    : state_(std::make_unique<State>(key, object_name, stream)) {}
ObjectOpener::~ObjectOpener() = default;

void ObjectOpener::keep_frames(std::vector<CompressedFrame>& frames) { state_->kept = &frames; }

void ObjectOpener::keep_frames_only(std::vector<CompressedFrame>& frames) {
  state_->kept = &frames;
  state_->unpacks = false;
}

bool ObjectOpener::finished() const { return state_->finished; }

Result<std::size_t> ObjectOpener::feed_frame(ByteView sealed, Bytes& plain) {
  std::size_t used = 0;
  const std::uint64_t frame = state_->frame;
  bool progressed = true;
  while (progressed && state_->frame == frame && used < sealed.size()) {
    if (state_->finished) return state_->damaged("bytes follow the final frame");
    ASSIGN_OR_RETURN(const std::size_t step, state_->take(sealed.substr(used), plain, progressed));
    used += step;
  }
  return used;
}

Status ObjectOpener::feed(ByteView sealed, Bytes& plain) {
  while (!sealed.empty()) {
    ASSIGN_OR_RETURN(const std::size_t used, feed_frame(sealed, plain));
    sealed.remove_prefix(used);
  }
  return {};
}

Status ObjectOpener::finish() {
  if (!state_->finished) return state_->damaged("the object ends before its final frame: it is truncated");
  return {};
}

Result<Bytes> seal_object(const ObjectKey& key, std::string_view object_name, ByteView plain, Random& random) {
  FrameCompressor compressor(FrameTuning::kAnything);
  ASSIGN_OR_RETURN(const std::vector<CompressedFrame> frames, compressor.compress(plain));
  ObjectSealer sealer(key, object_name, 0, random);
  Bytes sealed = sealer.header();
  for (std::size_t i = 0; i < frames.size(); ++i) sealed += sealer.seal(frames[i], i + 1 == frames.size());
  ASSIGN_OR_RETURN(const Bytes opened, open_object(key, object_name, sealed, plain.size()));
  if (opened != plain)
    return Error(ErrorKind::kDataLoss, std::string(object_name) + ": does not open to the bytes that were sealed");
  return sealed;
}

Result<Bytes> open_object(const ObjectKey& key, std::string_view object_name, ByteView sealed,
                          std::uint64_t limit_bytes) {
  ObjectOpener opener(key, object_name, 0);
  Bytes plain;
  while (!sealed.empty()) {
    ASSIGN_OR_RETURN(const std::size_t used, opener.feed_frame(sealed, plain));
    if (plain.size() > limit_bytes) {
      return Error(ErrorKind::kResourceExhausted,
                   std::string(object_name) + ": holds more than " + std::to_string(limit_bytes) + " bytes");
    }
    sealed.remove_prefix(used);
  }
  RETURN_IF_ERROR(opener.finish());
  return plain;
}

}  // namespace anclora::storage

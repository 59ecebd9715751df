#include "storage/journal/pack.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>
#include <utility>

#include "storage/journal/newer_format.h"

namespace anclora::storage {
namespace {

// Streams of objects: an entry's own, a run of small entries under the name of the first of them, a pack's index.
constexpr std::uint32_t kEntryStream = 0;
constexpr std::uint32_t kRunStream = 1;
constexpr std::uint32_t kIndexStream = 1;
enum SegmentKind : std::uint8_t { kRun = 1, kEntryObject = 2 };
constexpr std::string_view kTrailerMagic = "ADRPACK1";
constexpr std::size_t kTrailerCheckBytes = 8;
constexpr std::size_t kSequenceDigits = 20;

Bytes trailer_check(ByteView fields) {
  const Hash256 hash = hash256(fields);
  return Bytes(reinterpret_cast<const char*>(hash.data()), kTrailerCheckBytes);
}

Bytes encode_trailer(const PackTrailer& trailer) {
  ByteWriter writer;
  writer.raw(kTrailerMagic);
  writer.u64(trailer.index_offset);
  writer.u64(trailer.index_bytes);
  const Bytes check = trailer_check(writer.bytes());
  writer.raw(check);
  return writer.take();
}

std::string entry_name(std::string_view log_prefix, std::uint64_t sequence) {
  std::string digits = std::to_string(sequence);
  digits.insert(0, kSequenceDigits - std::min(kSequenceDigits, digits.size()), '0');
  return std::string(log_prefix) + digits;
}

// ".../pack/<from>-<to>" -> ".../log/" and <from>; a name of another form leads to entries that no key opens.
std::pair<std::string, std::uint64_t> entries_of(std::string_view pack_name) {
  const std::size_t slash = pack_name.rfind('/');
  const std::string_view folder = pack_name.substr(0, slash == std::string_view::npos ? 0 : slash);
  const std::string_view numbers = pack_name.substr(slash == std::string_view::npos ? 0 : slash + 1);
  std::uint64_t first = 0;
  std::from_chars(numbers.data(), numbers.data() + numbers.size(), first);
  return {std::string(folder.substr(0, folder.rfind('/') + 1)) + "log/", first};
}

}  // namespace

namespace {

// The small entries that follow each other: compressed together, sealed, opened again and compared.
class RunWriter {
 public:
  RunWriter(const ObjectKey& key, const std::string& name, FrameCompressor& compressor, Random& random)
      : compressor_(compressor), sealer_(key, name, kRunStream, random), opener_(key, name, kRunStream), name_(name) {
    opener_.keep_frames_only(opened_);
    sealed_.push_back(static_cast<char>(kRun));
    append(sealer_.header());
  }

  Status add(ByteView content) {
    ByteWriter length;
    length.varint(content.size());
    plain_ += length.bytes();
    plain_ += content;
    if (plain_.size() < kFrameBytes) return {};
    RETURN_IF_ERROR(seal(kFrameBytes, false));
    plain_.erase(0, kFrameBytes);
    return {};
  }
  Status finish() { return seal(plain_.size(), true); }
  // What became available since the last call.
  Bytes take() { return std::exchange(sealed_, Bytes()); }

 private:
  void append(ByteView bytes) {
    sealed_ += bytes;
    unchecked_ += bytes;
  }
  Status seal(std::size_t size, bool last) {
    ASSIGN_OR_RETURN(const std::vector<CompressedFrame> frames, compressor_.compress(ByteView(plain_).substr(0, size)));
    for (std::size_t i = 0; i < frames.size(); ++i) append(sealer_.seal(frames[i], last && i + 1 == frames.size()));
    Bytes none;
    RETURN_IF_ERROR(opener_.feed(std::exchange(unchecked_, Bytes()), none));
    const auto same = [](const CompressedFrame& a, const CompressedFrame& b) { return a.bytes == b.bytes; };
    const bool equal = std::ranges::equal(std::exchange(opened_, {}), frames, same);
    if (equal && opener_.finished() == last) return {};
    return Error(ErrorKind::kDataLoss, name_ + ": small entries do not open to the bytes that were packed",
                 "this points to faulty memory or processor: run capture on another machine");
  }

  FrameCompressor& compressor_;
  ObjectSealer sealer_;
  ObjectOpener opener_;
  const std::string name_;
  std::vector<CompressedFrame> opened_;
  Bytes plain_;  // less than a frame and an entry
  Bytes sealed_;
  Bytes unchecked_;
};

}  // namespace

struct PackWriter::State {
  const ObjectKey key;
  const std::string log_prefix;
  std::uint64_t next_sequence;
  FrameCompressor& compressor;
  Random& random;
  Sink sink;
  std::optional<RunWriter> run{};
  std::uint64_t written = 0;

  Status emit(ByteView bytes) {
    if (bytes.empty()) return {};
    written += bytes.size();
    return sink(bytes);
  }
  Status end_run() {
    if (!run) return {};
    RETURN_IF_ERROR(run->finish());
    RETURN_IF_ERROR(emit(run->take()));
    run.reset();
    return {};
  }
};

PackWriter::PackWriter(const ObjectKey& key, std::string log_prefix, std::uint64_t first_sequence,
                       FrameCompressor& compressor, Random& random, Sink sink)
    : state_(new State{key, std::move(log_prefix), first_sequence, compressor, random, std::move(sink)}) {}
PackWriter::~PackWriter() = default;

Status PackWriter::add(ByteView content) {
  State& state = *state_;
  if (content.size() >= kLargeEntryBytes)
    return Error(ErrorKind::kInternal, "a large entry belongs into a pack as its object");
  if (!state.run)
    state.run.emplace(state.key, entry_name(state.log_prefix, state.next_sequence), state.compressor, state.random);
  RETURN_IF_ERROR(state.run->add(content));
  ++state.next_sequence;
  return state.emit(state.run->take());
}

Status PackWriter::add_object(ByteView object) {
  State& state = *state_;
  RETURN_IF_ERROR(state.end_run());
  const char kind = static_cast<char>(kEntryObject);
  RETURN_IF_ERROR(state.emit(ByteView(&kind, 1)));
  ++state.next_sequence;
  return state.emit(object);
}

Status PackWriter::finish(std::string_view pack_name, const StreamIndex& index) {
  State& state = *state_;
  RETURN_IF_ERROR(state.end_run());
  PackTrailer trailer{state.written, 0};
  ObjectSealer sealer(state.key, pack_name, kIndexStream, state.random);
  const Bytes plain = encode_stream_index(index);
  ASSIGN_OR_RETURN(const std::vector<CompressedFrame> frames, state.compressor.compress(plain));
  RETURN_IF_ERROR(state.emit(sealer.header()));
  for (std::size_t i = 0; i < frames.size(); ++i)
    RETURN_IF_ERROR(state.emit(sealer.seal(frames[i], i + 1 == frames.size())));
  trailer.index_bytes = state.written - trailer.index_offset;
  return state.emit(encode_trailer(trailer));
}

std::uint64_t PackWriter::bytes_written() const { return state_->written; }

Result<PackTrailer> decode_pack_trailer(ByteView trailer, std::uint64_t object_bytes) {
  const Error damaged(ErrorKind::kDataLoss, "the last bytes are not the trailer of a pack: cut short or damaged");
  if (trailer.size() != kPackTrailerBytes || object_bytes < kPackTrailerBytes) return damaged;
  const ByteView fields = trailer.substr(0, kPackTrailerBytes - kTrailerCheckBytes);
  if (trailer_check(fields) != trailer.substr(fields.size())) return damaged;
  if (fields.substr(0, kTrailerMagic.size()) != kTrailerMagic) return newer_format("a pack of a newer format");
  ByteReader reader(fields.substr(kTrailerMagic.size()));
  PackTrailer decoded;
  ASSIGN_OR_RETURN(decoded.index_offset, reader.u64());
  ASSIGN_OR_RETURN(decoded.index_bytes, reader.u64());
  const std::uint64_t before_trailer = object_bytes - kPackTrailerBytes;
  if (decoded.index_offset > before_trailer || decoded.index_bytes != before_trailer - decoded.index_offset)
    return damaged;
  return decoded;
}

Result<StreamIndex> open_pack_index(const ObjectKey& key, std::string_view object_name, ByteView sealed_index) {
  ObjectOpener opener(key, object_name, kIndexStream);
  Bytes plain;
  while (!sealed_index.empty()) {
    ASSIGN_OR_RETURN(const std::size_t used, opener.feed_frame(sealed_index, plain));
    sealed_index.remove_prefix(used);
    if (plain.size() > kMaxIndexBytes)
      return Error(ErrorKind::kResourceExhausted, std::string(object_name) + ": its index is larger than the limit");
  }
  RETURN_IF_ERROR(opener.finish());
  auto index = decode_stream_index(plain);
  if (!index.has_value()) return index.error().with_context(object_name);
  return index;
}

struct PackReader::State {
  State(const ObjectKey& object_key, std::string_view object_name, OnEntry callback)
      : key(object_key), name(object_name), on_entry(std::move(callback)) {
    std::tie(log_prefix, next_sequence) = entries_of(object_name);
  }

  const ObjectKey key;
  const std::string name;
  const OnEntry on_entry;
  std::string log_prefix;
  std::uint64_t next_sequence = 0;
  std::optional<ObjectOpener> opener;  // of the segment that is open
  bool in_run = false;
  std::optional<EntryHasher> hasher;    // of the entry whose object is open
  std::vector<CompressedFrame> frames;  // opened and not hashed
  Bytes plain;                          // opened and not handed out: at most one entry and one frame
  std::size_t used = 0;                 // of `plain`

  Error damaged(std::string_view why) const { return Error(ErrorKind::kDataLoss, name + ": " + std::string(why)); }
  Status open_segment(char kind);
  Status close_segment();
  Result<std::size_t> take(ByteView sealed);
  // True when it handed out an entry of a run; false when more bytes are needed.
  Result<bool> hand_out();
  Status drain();
};

Status PackReader::State::open_segment(char kind) {
  if (kind != static_cast<char>(kRun) && kind != static_cast<char>(kEntryObject))
    return damaged("a segment of an unknown kind");
  in_run = kind == static_cast<char>(kRun);
  opener.emplace(key, entry_name(log_prefix, next_sequence), in_run ? kRunStream : kEntryStream);
  if (in_run) return {};
  hasher.emplace();
  opener->keep_frames(frames);
  return {};
}

Status PackReader::State::close_segment() {
  opener.reset();
  if (in_run) return plain.empty() ? Status() : damaged("a run ends in the middle of an entry");
  const Hash256 hash = hasher->finish(plain);
  hasher.reset();
  RETURN_IF_ERROR(on_entry(plain, hash));
  ++next_sequence;
  plain.clear();
  return {};
}

Result<std::size_t> PackReader::State::take(ByteView sealed) {
  if (!opener) {
    RETURN_IF_ERROR(open_segment(sealed.front()));
    return 1;
  }
  auto fed = opener->feed_frame(sealed, plain);
  if (!fed) return fed.error().with_context(name);
  if (in_run) {
    RETURN_IF_ERROR(drain());
  } else {
    for (const CompressedFrame& frame : frames) hasher->add(frame);
    frames.clear();
    if (plain.size() > kMaxEntryContentBytes) return damaged("an entry is longer than there can be");
  }
  if (opener->finished()) RETURN_IF_ERROR(close_segment());
  return *fed;
}

Result<bool> PackReader::State::hand_out() {
  constexpr std::size_t kMaxVarintBytes = 10;
  const ByteView rest = ByteView(plain).substr(used);
  ByteReader reader(rest);
  const auto size = reader.varint();
  if (!size.has_value()) {
    if (rest.size() >= kMaxVarintBytes) return damaged("an entry's length is no number");
    return false;
  }
  if (*size >= kLargeEntryBytes) return damaged("an entry in a run is longer than there can be");
  if (*size > reader.rest().size()) return false;
  const ByteView content = reader.rest().substr(0, static_cast<std::size_t>(*size));
  RETURN_IF_ERROR(on_entry(content, hash256(content)));
  ++next_sequence;
  used += rest.size() - reader.rest().size() + content.size();
  return true;
}

Status PackReader::State::drain() {
  bool more = true;
  while (more && used < plain.size()) {
    ASSIGN_OR_RETURN(more, hand_out());
  }
  plain.erase(0, used);
  used = 0;
  return {};
}

PackReader::PackReader(const ObjectKey& key, std::string_view object_name, OnEntry on_entry)
    : state_(std::make_unique<State>(key, object_name, std::move(on_entry))) {}
PackReader::~PackReader() = default;

Status PackReader::feed(ByteView sealed) {
  while (!sealed.empty()) {
    ASSIGN_OR_RETURN(const std::size_t used, state_->take(sealed));
    sealed.remove_prefix(used);
  }
  return {};
}

Status PackReader::finish() {
  if (state_->opener) return state_->damaged("ends in the middle of an entry");
  return {};
}

}  // namespace anclora::storage

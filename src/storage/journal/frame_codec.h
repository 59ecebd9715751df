// How every object is stored: frames of at most 1 MiB, each compressed, then sealed for one object name.
// Swapped, reordered, cut or flipped objects do not open. Pure. Format: docs/formats/object.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "storage/journal/frame_compressor.h"

namespace anclora::storage {

// The key of a repository, or none (--no-encryption: sealed by hash alone: damage shows, malice does not).
// Bound to the repository: `repository_id` enters every object's key and hash.
struct ObjectKey {
  std::optional<Secret> repository_key;  // 32 bytes
  Bytes repository_id;                   // 16 bytes
};

// Seals frames into one object (or one stream of an object: see `stream`). One thread.
// Usage: header() once, then seal(frame, last) for each; the concatenation is the object.
class ObjectSealer {
 public:
  ObjectSealer(const ObjectKey& key, std::string_view object_name, std::uint32_t stream, Random& random);
  ~ObjectSealer();
  Bytes header();
  Bytes seal(const CompressedFrame& frame, bool last);
  void seal(const CompressedFrame& frame, bool last, Bytes& out);  // appended

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Opens what ObjectSealer made, fed in pieces of any size. One thread. kDataLoss (or kUnauthenticated when the very
// first frame does not open under this key) names the object and the frame; after the last frame more bytes are an
// error.
class ObjectOpener {
 public:
  ObjectOpener(const ObjectKey& key, std::string_view object_name, std::uint32_t stream);
  ~ObjectOpener();
  // Appends the plain bytes that became available to `plain`.
  Status feed(ByteView sealed, Bytes& plain);
  // As feed(), but stops after one frame and says how many bytes it took: at most kFrameBytes were appended, where
  // feed() appends whatever `sealed` unpacks to (which may be thousands of times its size).
  Result<std::size_t> feed_frame(ByteView sealed, Bytes& plain);
  // From now on appends every opened frame, as it was compressed, to `frames` too (which outlives this): for a pack.
  void keep_frames(std::vector<CompressedFrame>& frames);
  // The same instead of unpacking: nothing is appended to `plain`.
  void keep_frames_only(std::vector<CompressedFrame>& frames);
  // kDataLoss unless the final frame has been seen: the object is whole.
  Status finish();
  bool finished() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whole small objects. seal_object() opens its result again and compares before it returns it.
Result<Bytes> seal_object(const ObjectKey& key, std::string_view object_name, ByteView plain, Random& random);
Result<Bytes> open_object(const ObjectKey& key, std::string_view object_name, ByteView sealed,
                          std::uint64_t limit_bytes = 256 * kMiB);

}  // namespace anclora::storage

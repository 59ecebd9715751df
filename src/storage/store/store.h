// Where objects are kept: a folder, a bucket, or memory in tests. Objects are written once and never change.
// Power is split: a reader cannot write, an appender (capture) cannot delete, only expire gets a Store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"

namespace anclora::storage {

// Object names: '/'-separated components of [A-Za-z0-9._=+-]{1,128}, none of them "." or "..", at most 512 bytes.
// Anything else is kInvalidArgument when given, and skipped (never followed) when found in a listing.
Status check_object_name(std::string_view name);

struct ObjectInfo {
  std::string name;
  std::uint64_t size_bytes = 0;
  WallTime modified;  // by the store's own clock
};

struct Listing {
  std::vector<ObjectInfo> objects;    // sorted by name
  std::vector<std::string> prefixes;  // "a/b/": what was rolled up at the delimiter, sorted
  std::vector<std::string>
      foreign;  // names that are not ours (see check_object_name): told (control bytes as \xNN), never touched
};

// What put() uploads: rewindable, so that a retry can send it again. read() may be called from one thread at a time.
class Body {
 public:
  virtual ~Body() = default;
  virtual std::uint64_t size_bytes() const = 0;
  virtual Result<Bytes> read(std::uint64_t offset, std::size_t size) const = 0;
  // The path, in `files`, of a file that holds exactly these bytes, is synced and never changes: it may be given a
  // second name instead of being copied. Empty: there is none.
  virtual Result<std::string> durable_file(FileSystem& files) const {
    static_cast<void>(files);
    return std::string();
  }
};

// A body that views bytes that outlive it.
class MemoryBody final : public Body {
 public:
  explicit MemoryBody(ByteView bytes) : bytes_(bytes) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Result<Bytes> read(std::uint64_t offset, std::size_t size) const override;

 private:
  ByteView bytes_;
};

// A body of a file's bytes; the file must not change.
Result<std::unique_ptr<Body>> file_body(FileSystem& files, const std::string& path);

enum class PutOutcome : std::uint8_t {
  kCreated,  // the object is durable (S3: 2xx with checksum; folder: file and directory synced)
  kExists,   // the name was taken before; what stands there is unchanged (it may be ours: a retry after a lost reply)
};

// Contract of all three: any thread; every wait is bounded; kNotFound is "no such object"; kUnavailable and
// kDeadlineExceeded may be retried; after either of them a put is *unknown*: it may or may not have happened, whole.
class ReadStore {
 public:
  virtual ~ReadStore() = default;
  // The whole object; kResourceExhausted when it is larger than `limit_bytes`.
  virtual Result<Bytes> get(std::string_view name, std::uint64_t limit_bytes = 128 * kMiB) = 0;
  // Exactly `size` bytes; kDataLoss when the object is shorter (a truncated answer included).
  virtual Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) = 0;
  virtual Result<ObjectInfo> head(std::string_view name) = 0;
  // All objects under `prefix` (a string prefix, usually ending in '/'); with `delimited`, those below the next '/'
  // are rolled up into prefixes. Pages through to the end.
  virtual Result<Listing> list(std::string_view prefix, bool delimited) = 0;
  // The store's own clock (S3: Date; folder: mtime of a file just touched), for ages of objects.
  virtual Result<WallTime> now() = 0;
  // What a person would type to name it: "s3://bucket/prefix", "/srv/backup".
  virtual std::string describe() const = 0;
};

// For showing ages, never for fencing or deleting: the store's own clock, or `clock` where this process may only read
// the store (a read-only mount) and so cannot ask a folder for its time.
Result<WallTime> time_for_reading(ReadStore& store, Clock& clock);

class AppendStore : public ReadStore {
 public:
  // Creates the object if the name is free, atomically and durably.
  virtual Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) = 0;
  Result<PutOutcome> put_if_absent(std::string_view name, ByteView bytes) {
    return put_if_absent(name, MemoryBody(bytes));
  }
};

class Store : public AppendStore {
 public:
  // Ok also when it was not there.
  virtual Status remove(std::string_view name) = 0;
  // Removes what interrupted puts left behind and no listing shows, older than `older_than`; answers how many.
  virtual Result<std::uint64_t> sweep(Duration older_than) {
    static_cast<void>(older_than);
    return 0;
  }
};

}  // namespace anclora::storage

// A Store in memory, for tests: the model that the folder and S3 stores are compared with.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "storage/store/store.h"

namespace anclora::storage {

// Any thread. Holds a copy of what was put; nothing survives it.
class MemoryStore final : public Store {
 public:
  using AppendStore::put_if_absent;
  explicit MemoryStore(Clock& clock) : clock_(clock) {}

  Result<Bytes> get(std::string_view name, std::uint64_t limit_bytes) override;
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override;
  Result<ObjectInfo> head(std::string_view name) override;
  Result<Listing> list(std::string_view prefix, bool delimited) override;
  Result<WallTime> now() override { return clock_.wall_now(); }
  std::string describe() const override { return "memory"; }
  Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) override;
  Status remove(std::string_view name) override;

  // Puts bytes there or over what is there: how a test plays a flipped, swapped or cut object.
  void overwrite(std::string_view name, Bytes bytes);

 private:
  struct Object {
    std::shared_ptr<const Bytes> bytes;
    WallTime modified;
  };
  Result<Object> find(std::string_view name);

  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Object, std::less<>> objects_;
};

}  // namespace anclora::storage

// Writing a base: an RDB stream cut into sealed parts, spooled to a folder and put one by one, then a manifest with the
// hash of all. It counts only once a kBaseComplete entry or a checkpoint names it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "storage/repository/repository.h"
#include "storage/repository/source_state.h"
#include "storage/store/store.h"

namespace anclora::storage {

inline constexpr std::uint64_t kBasePartBytes = 16 * kMiB;  // sealed size at which a part is closed (<= 64 MiB)

// Encodes; one thread. Parts are written to `spool_folder` as files named like the last component of their object.
class BaseEncoder {
 public:
  BaseEncoder(const Repository& repository, FileSystem& files, std::string spool_folder, std::string source,
              TimelineId timeline, redis::Offset offset, std::uint32_t attempt, Random& random);
  ~BaseEncoder();
  // More of the RDB. Verifies CRC64 on the way and reads its AUX fields.
  Status write(ByteView rdb);
  // The last part and the manifest; kDataLoss when the RDB's own checksum does not fit. `time`: of the state.
  Result<BaseInfo> finish(WallTime time, std::string origin, std::uint32_t database);
  // Parts that are whole in the spool folder and may be put (grows); the manifest is the last after finish().
  struct Part {
    std::string object_name;
    std::string spool_path;
    std::uint64_t bytes;
  };
  // Those not taken before; thread-safe against write().
  std::vector<Part> take_ready();
  std::uint64_t spooled_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The first attempt at a base there of which nothing stands in the store: a name that an interrupted one left behind is
// passed over.
Result<std::uint32_t> free_base_attempt(ReadStore& store, std::string_view source, TimelineId timeline,
                                        redis::Offset offset);

// Puts one part from its spool file and removes the file. A taken name with equal bytes is fine (a retry), with other
// bytes kDataLoss.
Status publish_part(AppendStore& store, FileSystem& files, const BaseEncoder::Part& part);

}  // namespace anclora::storage

// A file as a ByteSource.
#pragma once

#include <algorithm>
#include <memory>

#include "base/file_system.h"
#include "redis/byte_source.h"

namespace anclora::redis {

// From `from` to the end that the file had when it was opened.
class FileByteSource final : public ByteSource {
 public:
  explicit FileByteSource(std::unique_ptr<ReadableFile> file, std::uint64_t from = 0)
      : file_(std::move(file)), at_(std::min(from, file_->size_bytes())) {}

  Result<std::size_t> read_some(Bytes& out, std::size_t limit) override {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(limit, file_->size_bytes() - at_));
    if (size == 0) return std::size_t{0};
    ASSIGN_OR_RETURN(const Bytes bytes, file_->read(at_, size));
    out.append(bytes);
    at_ += size;
    return size;
  }

 private:
  std::unique_ptr<ReadableFile> file_;
  std::uint64_t at_;
};

}  // namespace anclora::redis

#include "redis/replication/mark_finder.h"

#include <algorithm>

namespace anclora::redis {

std::size_t MarkFinder::held_suffix(ByteView bytes) const {
  for (std::size_t size = std::min(bytes.size(), mark_.size() - 1); size > 0; --size) {
    if (bytes.ends_with(ByteView(mark_).substr(0, size))) return size;
  }
  return 0;
}

std::optional<std::size_t> MarkFinder::feed(ByteView chunk, const Emit& emit) {
  const auto emit_some = [&emit](ByteView bytes) {
    if (!bytes.empty()) emit(bytes);
  };
  if (!held_.empty()) {
    const std::size_t before = held_.size();
    seam_ = held_;
    seam_.append(chunk.substr(0, mark_.size()));
    if (const std::size_t at = seam_.find(mark_); at != std::string::npos) {
      held_.clear();
      emit_some(ByteView(seam_).substr(0, at));
      return at + mark_.size() - before;
    }
    if (chunk.size() < mark_.size()) {
      held_ = seam_.substr(seam_.size() - held_suffix(seam_));
      emit_some(ByteView(seam_).substr(0, seam_.size() - held_.size()));
      return std::nullopt;
    }
    held_.clear();
    emit_some(ByteView(seam_).substr(0, before));
  }
  const std::size_t at = chunk.find(mark_);
  if (at != ByteView::npos) {
    emit_some(chunk.substr(0, at));
    return at + mark_.size();
  }
  held_ = chunk.substr(chunk.size() - held_suffix(chunk));
  emit_some(chunk.substr(0, chunk.size() - held_.size()));
  return std::nullopt;
}

}  // namespace anclora::redis

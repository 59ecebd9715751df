#include "protect/restore/replay_source.h"

#include "protect/restore/restore_base.h"

namespace anclora::protect {

class ReplaySource::BaseSource final : public redis::ByteSource {
 public:
  BaseSource(ReplaySource& owner, RestoreBase reader) : owner_(owner), reader_(std::move(reader)) {}

  Result<std::size_t> read_some(Bytes& out, std::size_t limit) override {
    if (at_ == buffer_.size()) {
      buffer_.clear();
      at_ = 0;
      ASSIGN_OR_RETURN(const std::size_t size, reader_.read(buffer_));
      if (size == 0) return std::size_t{0};
    }
    const std::size_t size = std::min(limit, buffer_.size() - at_);
    out.append(buffer_, at_, size);
    at_ += size;
    owner_.base_bytes_read_ += size;
    return size;
  }

 private:
  ReplaySource& owner_;
  RestoreBase reader_;
  Bytes buffer_;
  std::size_t at_ = 0;
};

class ReplaySource::StreamSource final : public redis::ByteSource {
 public:
  explicit StreamSource(ReplaySource& owner) : owner_(owner) {}

  Result<std::size_t> read_some(Bytes& out, std::size_t limit) override {
    if (at_ == buffer_.size()) {
      buffer_.clear();
      at_ = 0;
      const std::uint64_t stop = owner_.stop_at_;
      owner_.stream_.stop_at(stop == kNoStop ? std::nullopt : std::optional(redis::Offset{stop}));
      ASSIGN_OR_RETURN(const std::size_t size, owner_.stream_.read(buffer_));
      owner_.stopped_ = owner_.stream_.stopped();
      owner_.stream_bytes_read_ = owner_.stream_.stream_bytes_read();
      owner_.commands_ = owner_.stream_.commands();
      owner_.served_ = owner_.stream_.bytes_read();
      if (size == 0 && owner_.stopped_) return std::size_t{0};
      if (size == 0) {
        owner_.database_ = owner_.stream_.database();
        owner_.at_end_ = true;
        return std::size_t{0};
      }
    }
    const std::size_t size = std::min(limit, buffer_.size() - at_);
    out.append(buffer_, at_, size);
    at_ += size;
    return size;
  }

 private:
  ReplaySource& owner_;
  Bytes buffer_;
  std::size_t at_ = 0;
};

ReplaySource::ReplaySource(RestoreInput input) : base_(input.route.base), stream_(std::move(input)) {}

Result<std::unique_ptr<redis::ByteSource>> ReplaySource::open_base() {
  ASSIGN_OR_RETURN(RestoreBase reader, RestoreBase::open(stream_.input()));
  base_bytes_read_ = 0;
  return std::unique_ptr<redis::ByteSource>(std::make_unique<BaseSource>(*this, std::move(reader)));
}

Result<std::unique_ptr<redis::ByteSource>> ReplaySource::open_stream(redis::Offset after) {
  if (after < base_.offset) return Error(ErrorKind::kInvalidArgument, "the target asks for what comes before the base");
  RETURN_IF_ERROR(stream_.seek(after - base_.offset));
  return std::unique_ptr<redis::ByteSource>(std::make_unique<StreamSource>(*this));
}

}  // namespace anclora::protect

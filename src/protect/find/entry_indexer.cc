#include "protect/find/entry_indexer.h"

#include "protect/restore/stream_boundary.h"
#include "storage/journal/command_reader.h"

namespace anclora::protect {
namespace {

class IndexVisitor final : public storage::CommandReader {
 public:
  explicit IndexVisitor(storage::StreamIndexBuilder& builder) : builder_(builder) {}

 private:
  void on_view(storage::CommandView& command) override { builder_.on_command(command); }

  storage::StreamIndexBuilder& builder_;
};

}  // namespace

void EntryIndexer::add(const storage::LogEntry& entry, const Hash256& content_hash) {
  builder_.on_entry(entry, content_hash);
  if (entry.bytes.empty()) return;
  if (parser_ && parser_->state().offset != entry.first) parser_.reset();
  if (!parser_) {
    const auto start = entry_start(entry);
    if (!start) {
      builder_.on_unreadable();
      return;
    }
    parser_.emplace(*start);
  }
  IndexVisitor visitor(builder_);
  visitor.enter(entry.marks);
  if (!parser_->feed(entry.bytes, visitor).has_value()) {
    builder_.on_unreadable();
    parser_.reset();
  }
}

}  // namespace anclora::protect

#include "protect/find/stream_scan.h"

#include <charconv>

#include "protect/restore/stream_boundary.h"
#include "redis/resp/command_parser.h"
#include "storage/journal/command_reader.h"
#include "storage/repository/log_reader.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::LogEntry;
using storage::Position;

// The arguments after the name of a command that the parser has accepted; nothing when `raw` is not all of it.
bool split_command(ByteView raw, std::vector<std::string_view>& arguments) {
  arguments.clear();
  std::size_t at = raw.find('\n');
  if (at == ByteView::npos) return false;
  ++at;
  bool name = true;
  while (at < raw.size()) {
    std::uint64_t length = 0;
    const char* begin = raw.data() + at + 1;
    const auto [end, error] = std::from_chars(begin, raw.data() + raw.size(), length);
    if (raw[at] != '$' || error != std::errc()) return false;
    at += 1 + static_cast<std::size_t>(end - begin) + 2;
    if (length > raw.size() || at > raw.size() - length) return false;
    if (!name) arguments.push_back(raw.substr(at, static_cast<std::size_t>(length)));
    name = false;
    at += static_cast<std::size_t>(length) + 2;
  }
  return true;
}

class ScanVisitor final : public storage::CommandReader {
 public:
  ScanVisitor(Offset from, Offset to, const OnCommand& on_command) : from_(from), to_(to), on_command_(on_command) {}

  void enter_entry(const LogEntry& entry) {
    entry_ = &entry;
    enter(entry.marks);
  }

  const Status& status() const { return status_; }

 private:
  void on_view(storage::CommandView& command) override {
    if (!status_.has_value() || command.last <= from_ || command.last > to_) return;
    const bool whole = command.first > entry_->first;
    if (whole &&
        split_command(
            ByteView(entry_->bytes).substr(command.first - entry_->first - 1, command.last - command.first + 1),
            arguments_))
      command.arguments = arguments_;
    status_ = on_command_(command);
  }

  Offset from_, to_;
  const OnCommand& on_command_;
  const LogEntry* entry_ = nullptr;
  std::vector<std::string_view> arguments_;
  Status status_;
};

}  // namespace

Status scan_commands(const SourceView& source, Position from, Offset to, std::uint64_t& bytes_read,
                     const OnCommand& on_command) {
  if (from.offset >= to) return {};
  ASSIGN_OR_RETURN(const Offset start, start_of_command(source, from));
  ASSIGN_OR_RETURN(auto reader, storage::LogReader::open(source.store, source.repository, source.state,
                                                         Position{from.timeline, start}, Position{from.timeline, to}));
  ScanVisitor visitor(from.offset, to, on_command);
  std::optional<redis::CommandParser> parser;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<LogEntry> entry, reader.next());
    if (!entry) return {};
    if (entry->bytes.empty() || entry->timeline != from.timeline) continue;
    bytes_read += entry->bytes.size();
    if (!parser) {
      const auto begin = entry_start(*entry);
      if (!begin) continue;
      parser.emplace(*begin);
    }
    visitor.enter_entry(*entry);
    RETURN_IF_ERROR(parser->feed(entry->bytes, visitor));
    RETURN_IF_ERROR(visitor.status());
  }
}

}  // namespace anclora::protect

// Any bytes decode to an entry that encodes to a fixed form, or to an error.
#include "fuzz_target.h"
#include "storage/journal/log_entry.h"

using namespace anclora;
using namespace anclora::storage;

std::vector<std::string> fuzz_seeds() {
  LogEntry stream;
  stream.timeline.value = 3;
  stream.sequence = 7;
  stream.replication_id = std::string(40, 'a');
  stream.first.value = 1048576;
  stream.bytes = "*1\r\n$4\r\nPING\r\n";
  stream.last = stream.first + stream.bytes.size();
  stream.first_command = stream.first;
  stream.open_multi = stream.first;
  stream.boundary = stream.last;
  stream.marks = {{stream.first + 1, WallTime(Duration(1767225600000000)), MonoTime(Duration(5000000))},
                  {stream.first + 9, WallTime(Duration(1767225600100000)), MonoTime(Duration(5100000))}};
  LogEntry opened;
  opened.kind = EntryKind::kOpened;
  opened.timeline.value = 2;
  opened.origin = Origin{OriginKind::kGap, Position{TimelineId{1}, redis::Offset{500}}, WallTime(), "restarted"};
  opened.closed_hash = Hash256{1};
  LogEntry base;
  base.kind = EntryKind::kBaseComplete;
  base.timeline.value = 1;
  base.base = "1048577-1";
  LogEntry renamed;
  renamed.kind = EntryKind::kRename;
  renamed.timeline.value = 1;
  renamed.new_replication_id = std::string(40, 'b');
  std::vector<std::string> seeds;
  for (const LogEntry& entry : {stream, opened, base, renamed}) seeds.push_back(encode_log_entry(entry));
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto entry = decode_log_entry(fuzz_input(data, size));
  if (!entry.has_value()) return 0;
  const Bytes content = encode_log_entry(*entry);
  const auto again = decode_log_entry(content);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(encode_log_entry(*again) == content);
  return 0;
}

// Any bytes decode to an index that encodes to a fixed form, or to an error; asking it for a key is always possible.
#include "fuzz_target.h"
#include "storage/journal/stream_index.h"
#include "storage/journal/stream_index_builder.h"

using namespace anclora;
using namespace anclora::storage;

std::vector<std::string> fuzz_seeds() {
  StreamIndexBuilder builder;
  const std::vector<std::string_view> arguments = {"bull:mail:1", "field", "value"};
  for (const std::string_view name : {"HSET", "FLUSHALL", "SWAPDB", "NEWCOMMAND"})
    builder.on_command({name, arguments, 3, 2, redis::Offset{100}, redis::Offset{150}, std::nullopt, WallTime()});
  LogEntry entry;
  entry.marks = {{redis::Offset{5}, WallTime(Duration(1767225600000000)), MonoTime(Duration(5000000))}};
  builder.on_entry(entry, Hash256{1});
  return {encode_stream_index(builder.take()), encode_stream_index({})};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto index = decode_stream_index(fuzz_input(data, size));
  if (!index.has_value()) return 0;
  const Bytes bytes = encode_stream_index(*index);
  const auto again = decode_stream_index(bytes);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(encode_stream_index(*again) == bytes);
  static_cast<void>(may_contain_key(*index, fuzz_input(data, size)));
  return 0;
}

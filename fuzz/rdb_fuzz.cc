// Any bytes: the walk over an RDB's keys and the summary while bytes pass both end with an answer, and agree.
#include <algorithm>

#include "fuzz_target.h"
#include "redis/rdb/rdb_check.h"
#include "redis/rdb/rdb_summary.h"

using namespace anclora;
using namespace anclora::redis;

std::vector<std::string> fuzz_seeds() {
  using namespace std::string_literals;
  const std::string end = "\xff"s + std::string(8, '\0');  // no checksum recorded: mutations stay readable
  return {
      "REDIS0010\xfa\x09redis-ver\x05"s + "7.0.1\xfe\x00\xfb\x01\x00\x00\x01k\x01v"s + end,
      "REDIS0011\xfe\x01\xfc"s + "12345678\x04\x01h\x02\x01"s + "a\x01v\x01w\x01v\x05\x01z\x01\x01m12345678"s + end,
      "REDIS0011\xfe\x00\x00\x01k\xc3\x05\x14\x00"s + "a\xe0\x0a\x00"s + end,
      "REDIS0011\xfe\x00\x12\x01l\x01\x02\x02lp\x15\x01s\x01\x10"s +
          "0123456789abcdef\x02lp\x01\x05\x01\x05\x01\x00\x00\x01\x00"s + end,
      "REDIS0012\xfe\x00\x18\x01h12345678\x01\x05\x01"s + "f\x01v\x19\x01xABCDEFGH\x02lp"s + end,
      "VALKEY080\xf4\x01\x02\x03\xf8\x05\xf9\x01\x07\x01m\x05\x02\x01\x05\x01x\x00"s + end,
  };
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = fuzz_input(data, size);
  MemoryByteSource source(bytes);
  const Result<RdbReport> report = check_rdb(source, WallTime());
  FUZZ_CHECK(report.has_value());
  FUZZ_CHECK(report->size_bytes <= size);
  RdbSummary summary;
  bool fed = true;
  for (std::size_t at = 0; fed && at < size; at += 37) fed = summary.feed(bytes.substr(at, 37)).has_value();
  const Result<RdbFacts> facts = summary.finish();
  if (!report->problem) FUZZ_CHECK(fed && facts.has_value() && facts->checksum == report->checksum);
  return 0;
}

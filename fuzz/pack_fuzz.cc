// Entries come back from a pack as they went in; hostile plain bytes behind a right seal are refused without harm.
#include "fuzz_target.h"
#include "storage/journal/pack.h"

using namespace anclora;
using namespace anclora::storage;

namespace {

constexpr std::string_view kName = "sources/default/1/pack/0-9";
constexpr std::string_view kLog = "sources/default/1/log/";
const ObjectKey kKey{std::nullopt, Bytes(16, 'r')};

// Cuts the input into entries whose lengths are its own bytes.
void expect_round_trip(std::string_view input) {
  Bytes object;
  FrameCompressor compressor(FrameTuning::kCommands);
  SeededRandom random(1);
  PackWriter writer(kKey, std::string(kLog), 0, compressor, random, [&object](ByteView bytes) -> Status {
    object += bytes;
    return {};
  });
  std::vector<Bytes> contents;
  while (!input.empty()) {
    const std::size_t size = static_cast<unsigned char>(input[0]);
    contents.emplace_back(input.substr(1, size));
    input.remove_prefix(std::min(input.size(), 1 + size));
    FUZZ_CHECK(writer.add(contents.back()).has_value());
  }
  FUZZ_CHECK(writer.finish(kName, {}).has_value());
  const auto trailer = decode_pack_trailer(ByteView(object).substr(object.size() - kPackTrailerBytes), object.size());
  FUZZ_CHECK(trailer.has_value());
  std::size_t next = 0;
  PackReader reader(kKey, kName, [&](ByteView content, const Hash256&) -> Status {
    FUZZ_CHECK(next < contents.size() && content == contents[next]);
    ++next;
    return {};
  });
  FUZZ_CHECK(reader.feed(ByteView(object).substr(0, trailer->index_offset)).has_value());
  FUZZ_CHECK(reader.finish().has_value());
  FUZZ_CHECK(next == contents.size());
}

void read_hostile(std::string_view plain, std::size_t piece) {
  SeededRandom random(1);
  FrameCompressor compressor(FrameTuning::kCommands);
  // A run of small entries, or the object of one.
  const bool run = piece % 2 == 0;
  ObjectSealer sealer(kKey, std::string(kLog) + std::string(20, '0'), run ? 1 : 0, random);
  const auto frames = compressor.compress(plain);
  FUZZ_CHECK(frames.has_value());
  Bytes sealed = (run ? "\x01" : "\x02") + sealer.header();
  for (std::size_t i = 0; i < frames->size(); ++i) sealed += sealer.seal((*frames)[i], i + 1 == frames->size());
  PackReader reader(kKey, kName, [](ByteView content, const Hash256&) -> Status {
    ignore_result(decode_log_entry(content));
    return {};
  });
  for (std::size_t at = 0; at < sealed.size(); at += piece)
    if (!reader.feed(ByteView(sealed).substr(at, piece)).has_value()) return;
  ignore_result(reader.finish());
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  LogEntry entry;
  entry.timeline.value = 1;
  const Bytes content = encode_log_entry(entry);
  ByteWriter writer;
  writer.u8(9);  // the size of the pieces
  writer.sized(content);
  writer.sized(content);
  return {writer.bytes(),
          std::string("\x05\x03"
                      "abc"
                      "\x00",
                      6),
          std::string("\x05\xff\xff\xff\xff\x0f", 6)};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest = fuzz_input(data + 1, size - 1);
  expect_round_trip(rest);
  read_hostile(rest, 1 + data[0]);
  ignore_result(decode_pack_trailer(rest, size));
  ignore_result(open_pack_index(kKey, kName, rest));
  return 0;
}

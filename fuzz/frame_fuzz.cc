// What is sealed opens to the same; one changed byte and it does not; hostile bytes behind a right seal do no harm.
#include "fuzz_target.h"
#include "storage/journal/frame_codec.h"

using namespace anclora;
using namespace anclora::storage;

namespace {

constexpr std::string_view kName = "sources/default/1/log/7";

void expect_round_trip_and_damage(const ObjectKey& key, std::string_view plain, std::size_t where, std::uint8_t flip) {
  SeededRandom random(1);
  auto sealed = seal_object(key, kName, plain, random);
  FUZZ_CHECK(sealed.has_value());
  const auto opened = open_object(key, kName, *sealed);
  FUZZ_CHECK(opened.has_value() && *opened == plain);
  if (flip == 0) return;
  (*sealed)[where % sealed->size()] = static_cast<char>((*sealed)[where % sealed->size()] ^ flip);
  FUZZ_CHECK(!open_object(key, kName, *sealed).has_value());
}

// Arbitrary bytes in place of zstd's, rightly sealed: what a bug or a holder of the key could write.
void expect_no_harm(const ObjectKey& key, std::string_view compressed) {
  SeededRandom random(1);
  ObjectSealer sealer(key, kName, 0, random);
  const Bytes object = sealer.header() + sealer.seal({Bytes(compressed), 0}, true);
  ignore_result(open_object(key, kName, object, kFrameBytes));
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  SeededRandom random(1);
  FrameCompressor compressor(FrameTuning::kCommands);
  std::vector<std::string> seeds = {"", "123456 some text some text some text", random.bytes(300)};
  for (const std::string& plain : {std::string("abcabcabcabc"), std::string(100000, 'x')})
    seeds.push_back("000" + compressor.compress(plain)->front().bytes);
  seeds.push_back("000" + *seal_object({std::nullopt, Bytes(16, 'r')}, kName, "text", random));
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view rest = fuzz_input(data + 3, size - 3);
  const ObjectKey encrypted{Secret(std::string(32, 'k')), Bytes(16, 'r')};
  const ObjectKey hashed{std::nullopt, Bytes(16, 'r')};
  const std::size_t where = static_cast<std::size_t>(data[0]) * 256 + data[1];
  expect_round_trip_and_damage(encrypted, rest, where, data[2]);
  expect_round_trip_and_damage(hashed, rest, where, data[2]);
  expect_no_harm(hashed, rest);
  ignore_result(open_object(encrypted, kName, rest));
  ignore_result(open_object(hashed, kName, rest));
  return 0;
}

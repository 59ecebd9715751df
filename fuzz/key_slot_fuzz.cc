// Any bytes decode to a key slot that encodes to a fixed form, or to an error.
#include "fuzz_target.h"
#include "storage/journal/key_slot.h"

using namespace anclora;
using namespace anclora::storage;

std::vector<std::string> fuzz_seeds() {
  SeededRandom random(1);
  const Secret key = make_repository_key(random);
  const Bytes repository(16, 'r');
  return {encode_key_slot(*wrap_for_passphrase(key, repository, Secret("p"), WallTime(), random)),
          encode_key_slot(*wrap_for_recovery_key(key, repository, make_recovery_key(random), WallTime(), random))};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ignore_result(normalize_recovery_key(Secret(std::string(fuzz_input(data, size)))));
  const auto slot = decode_key_slot(fuzz_input(data, size));
  if (!slot.has_value()) return 0;
  const Bytes json = encode_key_slot(*slot);
  const auto again = decode_key_slot(json);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(encode_key_slot(*again) == json);
  return 0;
}

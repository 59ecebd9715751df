// Crashes on purpose, behind a few bytes that only coverage feedback finds: if this one is not found, none would be.
#include "fuzz_target.h"

std::vector<std::string> fuzz_seeds() { return {"canary"}; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 3 && data[0] == 'D' && data[1] == 'E' && data[2] == 'A' && data[3] == 'D') std::abort();
  return 0;
}

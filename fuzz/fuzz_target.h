// What every fuzz target shares: seeds that are made at run time, and a check that stays on in every build.
// A target defines LLVMFuzzerTestOneInput() and fuzz_seeds(), and includes this header once.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

// Inputs to begin with: without them a fuzzer rarely gets past the first length field.
std::vector<std::string> fuzz_seeds();

#define FUZZ_CHECK(condition)                                                          \
  do {                                                                                 \
    if (!(condition)) {                                                                \
      std::fprintf(stderr, "%s:%d: FUZZ_CHECK(%s)\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                    \
    }                                                                                  \
  } while (false)

inline std::string_view fuzz_input(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// With ANCLORA_FUZZ_SEEDS=DIR the program only writes its seeds there.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* directory = std::getenv("ANCLORA_FUZZ_SEEDS");
  if (directory == nullptr) return 0;
  const std::vector<std::string> seeds = fuzz_seeds();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    std::ofstream file(std::string(directory) + "/seed-" + std::to_string(i), std::ios::binary);
    file.write(seeds[i].data(), static_cast<std::streamsize>(seeds[i].size()));
    if (!file.good()) std::abort();
  }
  std::exit(0);
}

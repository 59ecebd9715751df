#include "redis/scratch/available_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"

namespace anclora::redis {
namespace {

std::optional<std::uint64_t> first_number(const char* path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  // "max" where there is no limit.
  return file >> number ? std::optional(number) : std::nullopt;
}

// Version 2 of control groups, as seen from inside a container. Page cache counts as used there: a cautious answer.
std::optional<std::uint64_t> left_in_control_group() {
  const auto limit = first_number("/sys/fs/cgroup/memory.max");
  const auto used = first_number("/sys/fs/cgroup/memory.current");
  if (!limit || !used) return std::nullopt;
  return *limit > *used ? *limit - *used : 0;
}

}  // namespace

Result<std::uint64_t> available_memory_bytes() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("MemAvailable:")) continue;
    const std::uint64_t machine = std::strtoull(line.c_str() + line.find_first_of("0123456789"), nullptr, 10) * kKiB;
    return std::min(machine, left_in_control_group().value_or(machine));
  }
  return Error(ErrorKind::kUnsupported, "/proc/meminfo does not tell how much memory is available");
}

Status check_available_memory(std::uint64_t needed_bytes, std::string_view what) {
  if (needed_bytes == 0) return {};
  ASSIGN_OR_RETURN(const std::uint64_t available, available_memory_bytes());
  if (available >= needed_bytes) return {};
  return Error(
      ErrorKind::kResourceExhausted,
      fmt::format("{} needs {} of memory, {} is available", what, format_size(needed_bytes), format_size(available)),
      "run this on a machine with more free memory");
}

}  // namespace anclora::redis

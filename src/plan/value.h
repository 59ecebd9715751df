// A checked piece of a plan file: what a step's `with` or a target's settings hold, each with its place in the file.
// Produced by the reader (yaml-cpp, anchors, duplicate keys, depth and size refused), judged by a Schema.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anclora::plan {

// 1-based; 0 where the value was not read from a file (a default).
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const Place&) const = default;
};

enum class ValueKind : std::uint8_t { kNull, kScalar, kList, kMap };

struct Value;
struct Entry;

struct Value {
  ValueKind kind = ValueKind::kNull;
  std::string text;            // kScalar: as written, without quotes
  std::vector<Value> items;    // kList
  std::vector<Entry> entries;  // kMap, in the order of the file; keys are unique
  Place place;

  // The value under `key`, or nullptr (also when this is no map).
  const Value* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Value value;
};

}  // namespace anclora::plan

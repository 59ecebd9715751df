// What a verification found, for people and programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace anclora::protect {

struct BadObject {
  std::string object;  // its name, or the prefix that lacks one
  std::string what;    // what is wrong
  std::string advice;  // what to do
};

// How far a source had come: its newest log entry (timeline 0: none) and checkpoint.
struct SeenSource {
  std::string name;
  std::uint32_t timeline = 0;
  std::uint64_t sequence = 0;
  std::uint64_t checkpoint = 0;
};

struct VerifyCounts {
  std::uint64_t key_slots = 0, sources = 0, checkpoints = 0, entries = 0, packs = 0, bases = 0, sides = 0, pins = 0,
                records = 0;
  std::uint64_t objects_listed = 0;
  std::uint64_t objects_read = 0;
  std::uint64_t bytes_read = 0;
};

struct VerifyReport {
  static constexpr std::size_t kMaxListed = 1000;  // bad objects and foreign names; more are only counted

  double percent = 100;
  std::uint64_t seed = 0;
  WallTime started;
  Duration took{0};
  VerifyCounts counts;
  std::vector<BadObject> bad;
  std::uint64_t bad_count = 0;
  std::vector<std::string> foreign;  // not ours: told, never touched
  std::uint64_t foreign_count = 0;
  std::vector<std::string> uncounted;  // bases and packs that no checkpoint names: expire sweeps them
  std::uint64_t uncounted_count = 0;

  // What stood, or had stood and is missing: the next verification looks for it.
  std::vector<SeenSource> heads;
  std::vector<std::string> key_slots;

  bool ok() const { return bad_count == 0; }
  void add_bad(std::string object, std::string what, std::string advice);
  void add_foreign(std::string name);
  void add_uncounted(std::string name);
};

std::string to_text(const VerifyReport& report);
std::string to_json(const VerifyReport& report);

}  // namespace anclora::protect

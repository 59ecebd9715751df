// A blocked Bloom filter of keys and of their prefixes that end in ':'. Built at its largest size and folded down when
// taken, because nobody knows beforehand how many keys a minute brings. Format and hash: docs/formats/pack.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace anclora::storage {

inline constexpr std::size_t kMaxKeyFilterBytes = 4 * kMiB;
inline constexpr std::size_t kKeyFilterBlockBytes = 64;

// One thread.
class KeyFilterBuilder {
 public:
  // Keys are told apart by their first kSignificantBytes bytes; prefixes by their first kMaxDepth colons.
  static constexpr std::size_t kSignificantBytes = 512;
  static constexpr unsigned kMaxDepth = 16;

  void add(std::string_view key);
  // One of the hashes that KeyHashes collected.
  void add_hash(std::uint64_t hash);
  // The filter (empty without keys), a power of two of blocks with at least 12 bits a key unless it is at its largest
  // (about 1 % false positives; more beyond 2.8 million keys and prefixes); starts afresh.
  Bytes take();

 private:
  // The filter is larger than a cache: a hash waits until its block is there.
  static constexpr std::size_t kWaiting = 64;
  void set_bits(std::uint64_t hash);

  std::array<std::uint64_t, kWaiting> waiting_{};
  std::size_t received_ = 0;  // since take()
  std::vector<std::uint64_t> words_;
  std::uint64_t added_ = 0;  // keys and prefixes that set a bit
};

// The hashes of keys and their prefixes, to be added to a filter elsewhere. Neighbours mostly share their prefixes,
// which are then kept once. One thread.
class KeyHashes {
 public:
  void add(std::string_view key);
  std::vector<std::uint64_t> take();

 private:
  static constexpr std::size_t kRemembered = 4;
  void keep(std::size_t depth, std::uint64_t hash);
  void remember_prefix(std::string_view key, std::size_t depth, std::uint64_t hash);

  std::vector<std::uint64_t> hashes_;
  std::array<std::uint64_t, kRemembered> newest_{};  // by depth
  std::size_t expected_ = 0;
  // The longest prefix of the key before, which mostly begins the next one too; kept already.
  std::string prefix_;
  std::size_t prefix_depth_ = 0;
  std::uint64_t prefix_hash_ = 0;
};

// True when the key, or for a prefix that ends in ':' some key under it, may be in it. `filter` is empty or valid.
bool key_filter_may_contain(ByteView filter, std::string_view key_or_prefix);
// Empty, or a power of two of blocks up to kMaxKeyFilterBytes.
bool is_valid_key_filter(ByteView filter);

}  // namespace anclora::storage

#include "storage/journal/key_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace anclora::storage {
namespace {

constexpr std::size_t kBlockWords = kKeyFilterBlockBytes / 8;
constexpr std::size_t kMaxBlocks = kMaxKeyFilterBytes / kKeyFilterBlockBytes;
constexpr unsigned kProbes = 7;
constexpr std::uint64_t kBitsPerKey = 12;
constexpr std::uint64_t kSeed = 0x243f6a8885a308d3;
constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;

static_assert(std::endian::native == std::endian::little);

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * kMultiplier;
  return hash ^ (hash >> 32);
}

std::uint64_t load(const char* bytes, std::size_t size) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, size);
  return word;
}

// Continues `hash` over one segment of a key: words of 8 bytes, then the rest padded with zeros, then its length.
std::uint64_t hash_segment(std::uint64_t hash, std::string_view segment) {
  const char* at = segment.data();
  std::size_t left = segment.size();
  for (; left >= 8; at += 8, left -= 8) hash = mix(hash, load(at, 8));
  if (left > 0) hash = mix(hash, load(at, left));
  return mix(hash, segment.size());
}

// Calls visit(hash) for each prefix that ends in ':' and then for the rest, if there is one.
template <class Visit>
void for_each_hash(std::string_view key, const Visit& visit) {
  key = key.substr(0, KeyFilterBuilder::kSignificantBytes);
  const bool empty = key.empty();  // a key like any other
  std::uint64_t hash = kSeed;
  for (unsigned depth = 0; depth < KeyFilterBuilder::kMaxDepth; ++depth) {
    const std::size_t colon = key.find(':');
    if (colon == std::string_view::npos) break;
    hash = hash_segment(hash, key.substr(0, colon + 1));
    visit(hash);
    key.remove_prefix(colon + 1);
  }
  if (!key.empty() || empty) visit(hash_segment(hash, key));
}

std::uint64_t finish(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 33);
}

// Calls probe(word, bit) for the bits of a key inside its block: 9 bits of the finished hash for each.
template <class Probe>
void for_each_bit(std::uint64_t hash, const Probe& probe) {
  std::uint64_t bits = finish(hash);
  for (unsigned i = 0; i < kProbes; ++i, bits >>= 9) probe((bits >> 6) & 7, std::uint64_t{1} << (bits & 63));
}

}  // namespace

void KeyFilterBuilder::add(std::string_view key) {
  for_each_hash(key, [this](std::uint64_t hash) { add_hash(hash); });
}

void KeyFilterBuilder::add_hash(std::uint64_t hash) {
  if (words_.empty()) words_.resize(kMaxBlocks * kBlockWords);
  __builtin_prefetch(words_.data() + (hash & (kMaxBlocks - 1)) * kBlockWords, 1);
  std::uint64_t& place = waiting_[received_ % kWaiting];
  if (received_ >= kWaiting) set_bits(place);
  place = hash;
  ++received_;
}

void KeyFilterBuilder::set_bits(std::uint64_t hash) {
  std::uint64_t* block = words_.data() + (hash & (kMaxBlocks - 1)) * kBlockWords;
  std::uint64_t missing = 0;
  for_each_bit(hash, [&](std::uint64_t word, std::uint64_t bit) {
    missing |= ~block[word] & bit;
    block[word] |= bit;
  });
  added_ += missing != 0 ? 1 : 0;
}

Bytes KeyFilterBuilder::take() {
  for (std::size_t i = received_ - std::min(received_, kWaiting); i < received_; ++i) set_bits(waiting_[i % kWaiting]);
  received_ = 0;
  if (added_ == 0) return {};
  std::size_t blocks = kMaxBlocks;
  while (blocks > 1 && (blocks / 2) * kKeyFilterBlockBytes * 8 >= added_ * kBitsPerKey) {
    blocks /= 2;
    const std::size_t half = blocks * kBlockWords;
    for (std::size_t i = 0; i < half; ++i) words_[i] |= words_[half + i];
  }
  Bytes filter(reinterpret_cast<const char*>(words_.data()), blocks * kKeyFilterBlockBytes);
  std::fill(words_.begin(), words_.end(), 0);
  added_ = 0;
  return filter;
}

void KeyHashes::add(std::string_view key) {
  if (!prefix_.empty() && key.size() <= KeyFilterBuilder::kSignificantBytes && key.starts_with(prefix_)) {
    const std::string_view rest = key.substr(prefix_.size());
    if (rest.find(':') == std::string_view::npos) {
      if (!rest.empty()) keep(prefix_depth_, hash_segment(prefix_hash_, rest));
      return;
    }
  }
  if (hashes_.capacity() == 0) hashes_.reserve(expected_);
  const auto prefixes = static_cast<std::size_t>(std::ranges::count(key, ':'));
  std::size_t depth = 0;
  std::uint64_t prefix_hash = 0;
  for_each_hash(key, [&](std::uint64_t hash) {
    keep(depth, hash);
    if (++depth == prefixes) prefix_hash = hash;
  });
  remember_prefix(key, prefixes, prefix_hash);
}

// A prefix that the key before had too is there.
void KeyHashes::keep(std::size_t depth, std::uint64_t hash) {
  if (depth < kRemembered) {
    if (!hashes_.empty() && newest_[depth] == hash) return;
    newest_[depth] = hash;
  }
  hashes_.push_back(hash);
}

void KeyHashes::remember_prefix(std::string_view key, std::size_t depth, std::uint64_t hash) {
  prefix_.clear();
  if (depth == 0 || depth >= KeyFilterBuilder::kMaxDepth || key.size() > KeyFilterBuilder::kSignificantBytes) return;
  prefix_ = key.substr(0, key.rfind(':') + 1);
  prefix_depth_ = depth;
  prefix_hash_ = hash;
}

std::vector<std::uint64_t> KeyHashes::take() {
  expected_ = hashes_.size() + hashes_.size() / 8;
  newest_ = {};
  prefix_.clear();
  return std::exchange(hashes_, {});
}

bool is_valid_key_filter(ByteView filter) {
  return filter.empty() || (filter.size() <= kMaxKeyFilterBytes && filter.size() >= kKeyFilterBlockBytes &&
                            std::has_single_bit(filter.size()));
}

bool key_filter_may_contain(ByteView filter, std::string_view key_or_prefix) {
  if (filter.empty()) return false;
  const std::size_t blocks = filter.size() / kKeyFilterBlockBytes;
  bool all = true;
  // Every prefix of a key that was added was added too, so each of them must be there.
  for_each_hash(key_or_prefix, [&](std::uint64_t hash) {
    const char* block = filter.data() + (hash & (blocks - 1)) * kKeyFilterBlockBytes;
    for_each_bit(hash,
                 [&](std::uint64_t word, std::uint64_t bit) { all = all && (load(block + word * 8, 8) & bit) != 0; });
  });
  return all;
}

}  // namespace anclora::storage

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "redis/rdb/crc64.h"
#include "storage/repository/base_manifest.h"
#include "storage/repository/log_reader.h"
#include "storage/repository/sealed_object.h"

namespace anclora::storage {
namespace {

constexpr std::uint64_t kFetchBytes = 4 * kMiB;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kFeedBytes = 4 * kKiB;  // fed at once: what comes out of it is held in memory

}  // namespace

struct BaseReader::State {
  ReadStore& store;
  const Repository& repository;
  std::string source;
  BaseManifest manifest;
  bool hashes = true;
  crypto_generichash_state hash{};
  std::uint64_t crc64 = 0;
  Bytes tail{};  // the last kChecksumBytes read
  std::uint32_t part = 0;
  std::string name{};  // of the part
  std::unique_ptr<ObjectOpener> opener{};
  std::uint64_t fetched = 0;  // of the part
  std::uint64_t plain = 0;    // of the part
  Bytes piece{};
  std::size_t used = 0;  // of piece
  bool checked = false;

  Error damaged(std::string_view object, std::string_view why) const {
    return Error(ErrorKind::kDataLoss, fmt::format("{}: {}", object, why),
                 "use another base (anclora history); a mirror may hold a whole copy");
  }

  void open_part() {
    name = layout::base_part(source, manifest.base.timeline, manifest.base.name, part);
    opener = std::make_unique<ObjectOpener>(repository.key(), name, 0);
    fetched = plain = 0;
    piece.clear();
    used = 0;
  }

  Status feed(Bytes& out) {
    const std::uint64_t stored = manifest.parts[part].stored_bytes;
    if (used == piece.size()) {
      ASSIGN_OR_RETURN(piece, store.get_range(name, fetched, std::min(kFetchBytes, stored - fetched)));
      fetched += piece.size();
      used = 0;
    }
    const std::size_t size = std::min(kFeedBytes, piece.size() - used);
    const std::size_t before = out.size();
    RETURN_IF_ERROR(opener->feed(ByteView(piece).substr(used, size), out));
    used += size;
    plain += out.size() - before;
    prove(ByteView(out).substr(before));
    return {};
  }

  void prove(ByteView bytes) {
    if (hashes) {
      crypto_generichash_update(&hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
      return;
    }
    crc64 = redis::crc64(crc64, bytes);
    tail += bytes.substr(bytes.size() - std::min(bytes.size(), kChecksumBytes));
    tail.erase(0, tail.size() - std::min(tail.size(), kChecksumBytes));
  }

  Status close_part() {
    RETURN_IF_ERROR(opener->finish());
    if (plain != manifest.parts[part].plain_bytes)
      return damaged(name, "holds another number of bytes than its manifest says");
    opener.reset();
    ++part;
    return {};
  }

  Status check_all() {
    checked = true;
    if (!hashes) return check_checksum();
    Hash256 all{};
    crypto_generichash_final(&hash, all.data(), all.size());
    if (all == manifest.hash) return {};
    return damaged(layout::base_prefix(source, manifest.base.timeline, manifest.base.name),
                   "its parts do not have the hash that its manifest says");
  }

  // Over an RDB and the checksum that ends it, the sum is 0.
  Status check_checksum() const {
    ByteWriter told;
    told.u64(manifest.base.rdb_crc64);
    if (crc64 == 0 && tail == told.bytes()) return {};
    return damaged(layout::base_prefix(source, manifest.base.timeline, manifest.base.name),
                   "its parts do not have the checksum that its manifest says");
  }
};

BaseReader::BaseReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
BaseReader::BaseReader(BaseReader&&) noexcept = default;
BaseReader& BaseReader::operator=(BaseReader&&) noexcept = default;
BaseReader::~BaseReader() = default;

Result<BaseReader> BaseReader::open(ReadStore& store, const Repository& repository, std::string_view source,
                                    const BaseInfo& base, Proof proof) {
  const std::string name = layout::base_manifest(source, base.timeline, base.name);
  ASSIGN_OR_RETURN(const Bytes content, read_sealed(store, repository, name));
  ASSIGN_OR_RETURN(BaseManifest manifest, decode_base_manifest(content, name));
  const BaseInfo& told = manifest.base;
  const bool same = told.name == base.name && told.timeline == base.timeline && told.offset == base.offset &&
                    told.rdb_bytes == base.rdb_bytes && told.rdb_crc64 == base.rdb_crc64 && told.parts == base.parts;
  if (!same) return Error(ErrorKind::kDataLoss, name + " describes another base than the checkpoint does");
  auto state = std::unique_ptr<State>(new State{store, repository, std::string(source), std::move(manifest)});
  state->hashes = proof == Proof::kHash || base.rdb_crc64 == 0;
  crypto_generichash_init(&state->hash, nullptr, 0, std::tuple_size_v<Hash256>);
  return BaseReader(std::move(state));
}

Result<std::size_t> BaseReader::read(Bytes& out) {
  State& state = *state_;
  const std::size_t before = out.size();
  while (out.size() == before) {
    if (state.part == state.manifest.parts.size()) {
      if (!state.checked) RETURN_IF_ERROR(state.check_all());
      return std::size_t{0};
    }
    if (!state.opener) state.open_part();
    const bool all_fed =
        state.fetched == state.manifest.parts[state.part].stored_bytes && state.used == state.piece.size();
    if (all_fed) {
      RETURN_IF_ERROR(state.close_part());
    } else {
      RETURN_IF_ERROR(state.feed(out));
    }
  }
  return out.size() - before;
}

}  // namespace anclora::storage

#include "protect/capture/saved_chain.h"

#include <fmt/core.h>

namespace anclora::protect {
namespace {

constexpr std::string_view kMagic = "ANCLCHN1";

}  // namespace

Bytes encode_saved_chain(const SavedChain& chain) {
  ByteWriter out;
  out.raw(kMagic);
  out.sized(chain.source_url);
  out.u32(chain.tip.timeline.value);
  out.u64(chain.tip.next_sequence);
  out.raw(chain.tip.hash);
  out.u64(chain.tip.last.value);
  out.sized(chain.tip.replication_id);
  out.u64(chain.tip.epoch);
  out.u64(chain.tip.boundary.value);
  out.u8(chain.tip.closed ? 1 : 0);
  out.u64(chain.state.offset.value);
  out.u64(chain.state.boundary.value);
  out.u32(chain.state.database);
  out.u8(chain.state.open_multi.has_value() ? 1 : 0);
  out.u64(chain.state.open_multi.value_or(redis::Offset{}).value);
  out.u8(chain.base_complete ? 1 : 0);
  const Hash256 hash = hash256(out.bytes());
  out.raw(hash);
  return out.take();
}

Result<SavedChain> decode_saved_chain(ByteView bytes) {
  constexpr std::size_t kHashBytes = std::tuple_size_v<Hash256>;
  if (bytes.size() < kMagic.size() + kHashBytes) return Error(ErrorKind::kDataLoss, "the file is cut short");
  if (bytes.substr(0, kMagic.size() - 1) != kMagic.substr(0, kMagic.size() - 1))
    return Error(ErrorKind::kDataLoss, "the file is not a saved chain");
  if (bytes[kMagic.size() - 1] != kMagic.back())
    return Error(ErrorKind::kUnsupported, "the file was written by a newer version of anclora");
  const ByteView content = bytes.substr(0, bytes.size() - kHashBytes);
  ByteReader tail(bytes.substr(content.size()));
  ASSIGN_OR_RETURN(const Hash256 hash, tail.hash());
  if (hash != hash256(content)) return Error(ErrorKind::kDataLoss, "the file is damaged: its hash does not fit");
  ByteReader in(content.substr(kMagic.size()));
  SavedChain chain;
  ASSIGN_OR_RETURN(chain.source_url, in.sized());
  ASSIGN_OR_RETURN(chain.tip.timeline.value, in.u32());
  ASSIGN_OR_RETURN(chain.tip.next_sequence, in.u64());
  ASSIGN_OR_RETURN(chain.tip.hash, in.hash());
  ASSIGN_OR_RETURN(chain.tip.last.value, in.u64());
  ASSIGN_OR_RETURN(chain.tip.replication_id, in.sized());
  ASSIGN_OR_RETURN(chain.tip.epoch, in.u64());
  ASSIGN_OR_RETURN(chain.tip.boundary.value, in.u64());
  ASSIGN_OR_RETURN(const std::uint8_t closed, in.u8());
  chain.tip.closed = closed != 0;
  ASSIGN_OR_RETURN(chain.state.offset.value, in.u64());
  ASSIGN_OR_RETURN(chain.state.boundary.value, in.u64());
  ASSIGN_OR_RETURN(chain.state.database, in.u32());
  ASSIGN_OR_RETURN(const std::uint8_t in_multi, in.u8());
  ASSIGN_OR_RETURN(const std::uint64_t multi, in.u64());
  if (in_multi != 0) chain.state.open_multi = redis::Offset{multi};
  ASSIGN_OR_RETURN(const std::uint8_t base, in.u8());
  chain.base_complete = base != 0;
  RETURN_IF_ERROR(in.expect_end());
  return chain;
}

}  // namespace anclora::protect

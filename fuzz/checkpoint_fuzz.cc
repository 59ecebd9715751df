// Any bytes decode to a checkpoint that encodes to a fixed form and can be applied, or to an error.
#include "fuzz_target.h"
#include "storage/repository/base_manifest.h"
#include "storage/repository/checkpoint.h"

using namespace anclora;
using namespace anclora::storage;

namespace {

Checkpoint sample(bool full) {
  Checkpoint checkpoint;
  checkpoint.ordinal = 61;
  checkpoint.full = full;
  checkpoint.writer = "w";
  TimelineState opened;
  opened.id = TimelineId{2};
  opened.origin = {OriginKind::kFork, {TimelineId{1}, redis::Offset{5}}, {}, "why"};
  BaseInfo base;
  base.name = "5-1";
  base.timeline = TimelineId{2};
  PackInfo pack;
  pack.timeline = TimelineId{2};
  pack.last_sequence = 9;
  TimelineEnd end;
  end.timeline = TimelineId{2};
  CheckpointDelta& delta = checkpoint.delta;
  delta.url = "redis://x";
  delta.opened = {opened};
  delta.bases = {base};
  delta.packs = {pack};
  delta.closed = {TimelineId{1}};
  delta.ends = {end};
  delta.retired_bases = {base};
  delta.retired_packs = {pack};
  delta.first_kept = {{2, {1, {}}}};
  delta.retired_timelines = {TimelineId{3}};
  delta.retiring = Retirement{};
  delta.retires_mark = "mark";
  delta.deleted = {"gone"};
  checkpoint.retired = {{"a/", {}}};
  return checkpoint;
}

void check_checkpoint(std::string_view input) {
  const auto checkpoint = decode_checkpoint(input, "checkpoint");
  if (!checkpoint.has_value()) return;
  const Bytes json = encode_checkpoint(*checkpoint);
  const auto again = decode_checkpoint(json, "checkpoint");
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(encode_checkpoint(*again) == json);
  CheckpointChain chain;
  chain.state.source = "s";
  apply_checkpoint(chain, *checkpoint);
  const CheckpointDelta once = whole_state(chain.state);
  recovery_windows(chain.state);
  gaps(chain.state);
  FUZZ_CHECK(once.opened.size() == chain.state.timelines.size());
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  BaseManifest manifest;
  manifest.base = sample(true).delta.bases[0];
  return {encode_checkpoint(sample(true)), encode_checkpoint(sample(false)), encode_base_manifest(manifest)};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_checkpoint(fuzz_input(data, size));
  const auto manifest = decode_base_manifest(fuzz_input(data, size), "manifest");
  if (!manifest.has_value()) return 0;
  const Bytes json = encode_base_manifest(*manifest);
  const auto again = decode_base_manifest(json, "manifest");
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(encode_base_manifest(*again) == json);
  return 0;
}

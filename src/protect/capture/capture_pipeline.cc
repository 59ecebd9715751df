#include "protect/capture/capture_pipeline.h"

#include <algorithm>
#include <utility>

#include "protect/capture/stream_recovery.h"

namespace anclora::protect {
namespace {

constexpr Duration kForkWait = std::chrono::seconds(5);
constexpr Duration kForkPoll = std::chrono::milliseconds(50);

}  // namespace

CapturePipeline::CapturePipeline(const CaptureEnvironment& environment, const CaptureOptions& options, Outbox& outbox,
                                 CaptureState& state)
    : environment_(environment), options_(options), outbox_(outbox), state_(state), queue_(outbox, options.upload) {}

Result<std::unique_ptr<CapturePipeline>> CapturePipeline::begin(const CaptureEnvironment& environment,
                                                                const CaptureOptions& options, Outbox& outbox,
                                                                CaptureState& state) {
  std::unique_ptr<CapturePipeline> pipeline(new CapturePipeline(environment, options, outbox, state));
  RETURN_IF_ERROR(outbox.clear_base_spool());
  storage::Incarnation incarnation{};
  const Bytes random = environment.random.bytes(incarnation.size());
  std::ranges::copy(random, incarnation.begin());
  const TakeoverContext context{environment.store,          environment.repository,   options.name,
                                options.source.to_string(), options.allow_url_change, outbox,
                                environment.clock,          environment.random,       incarnation};
  ASSIGN_OR_RETURN(Takeover takeover, take_over(context));
  pipeline->found_ = takeover.state;
  pipeline->store_away_ = takeover.store_away;
  if (takeover.put_aside) state.failed(*takeover.put_aside);
  pipeline->build(std::move(takeover), incarnation);
  RETURN_IF_ERROR(pipeline->encoder_->claim("capture began"));
  return pipeline;
}

void CapturePipeline::build(Takeover takeover, const storage::Incarnation& incarnation) {
  const CaptureEnvironment& env = environment_;
  const ChainStart start = std::move(takeover.start);
  // What waits in the outbox is not protected yet.
  if (found_ && found_->head) {
    const storage::Head& head = *found_->head;
    const storage::Position position{head.timeline, head.entry.boundary};
    const WallTime time = head.entry.marks.empty() ? WallTime{} : head.entry.marks.back().wall;
    state_.start_from(position, time, has_base(*found_, position));
  } else {
    state_.start_from({}, {}, false);
  }
  state_.timeline_opened(0, start.tip.timeline);
  state_.set_received(start.tip.last);
  checkpoints_ = std::make_unique<CheckpointWriter>(
      CheckpointWriter::Context{env.store, env.repository, options_.name, options_.checkpoint_every, env.clock,
                                env.random, state_},
      std::move(takeover.first_delta));
  packer_ = std::make_unique<Packer>(Packer::Context{env.store, env.repository, options_.name,
                                                     outbox_.folder() + "/pack", env.files, env.clock, env.random,
                                                     state_, *checkpoints_, options_.pack_every});
  uploader_ = std::make_unique<Uploader>(
      Uploader::Context{env.store, env.repository, options_.name, options_.source.to_string(), env.clock, env.random,
                        queue_, state_, *packer_, *checkpoints_},
      takeover.published_timeline, takeover.published_base_complete);
  encoder_ = std::make_unique<StreamEncoder>(
      StreamEncoder::Context{env.repository, options_.name, options_.seal, outbox_.base_spool(), env.files, env.clock,
                             env.random, queue_, state_},
      start, incarnation, outbox_.holder());
}

Result<redis::CommandParser> CapturePipeline::state_at(redis::Offset fork) {
  for (Duration waited{}; !queue_.empty(); waited += kForkPoll) {
    if (waited >= kForkWait)
      return Error(ErrorKind::kUnavailable,
                   "the source was replaced by a promoted replica that is behind; capture goes on from there once all "
                   "it received before is published");
    environment_.clock.sleep_for(kForkPoll);
  }
  ASSIGN_OR_RETURN(const auto state,
                   storage::load_source_state(environment_.store, environment_.repository, options_.name));
  if (!state.head) return Error(ErrorKind::kNotFound, "nothing is archived yet");
  const storage::Position position{state.head->timeline, fork};
  if (!has_base(state, position))
    return Error(ErrorKind::kNotFound, "no base stands before the place where the promoted replica's history begins");
  return recover_at(environment_.store, environment_.repository, state, position);
}

}  // namespace anclora::protect

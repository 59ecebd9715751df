#include "protect/verify/verification_covers.h"

namespace anclora::protect {

bool verification_covers(const storage::SourceState& source, WallTime verified) {
  if (source.timelines.empty() || source.timelines.front().id != storage::TimelineId{1}) return true;
  return verified >= source.timelines.front().opened;
}

}  // namespace anclora::protect

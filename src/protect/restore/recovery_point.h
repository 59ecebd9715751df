// A recovery point: the exact position that a WHEN means for one source, and why a moment cannot be had.
#pragma once

#include <string>

#include "base/clock.h"
#include "protect/restore/source_view.h"
#include "protect/restore/when.h"

namespace anclora::protect {

enum class Exactness : std::uint8_t {
  kExact,    // the very position that was named
  kSnapped,  // the last point outside MULTI not after the moment that was named
  kNewest,   // the newest protected point
};
std::string_view to_string(Exactness exactness);

struct RecoveryPoint {
  storage::Position position;
  WallTime time;  // of receipt, by the last mark not after the position
  Exactness exactness = Exactness::kExact;
};

// `now` is for "5m ago". Times resolve to the last mark not after them, then to the last boundary outside MULTI; a time
// up to 15 s after the newest mark is the newest point (a capture of an idle source speaks every 10 s).
// Offsets and `before:` must be such a boundary themselves. The newest timeline is meant unless one is named.
// kFailedPrecondition: in a gap, inside a command or MULTI, beyond what is protected, before what is kept; the message
// says which, the hint holds the nearest points on either side as commands to copy. kNotFound: no such tag or timeline.
Result<RecoveryPoint> resolve(const SourceView& source, const When& when, WallTime now);

// "--name jobs ": what a command needs, to mean this source. Empty for "default" where the repository holds no other.
std::string name_words(storage::ReadStore& store, std::string_view source);

// "anclora restore --name jobs --at offset:3/77 --to TARGET", of `name_words`.
std::string restore_command(std::string_view name_words, std::string_view at);
std::string restore_command(std::string_view name_words, storage::Position position);

}  // namespace anclora::protect

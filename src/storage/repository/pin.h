// Pins (tags): recovery points kept for ever.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/repository/repository.h"

namespace anclora::storage {

struct Pin {
  std::string name;  // [A-Za-z0-9][A-Za-z0-9._-]{0,62}
  Position position;
  WallTime time;  // of the state it names
  WallTime created;
  std::optional<WallTime> expires;  // safety copies: 30 days
  std::string note;
};

// kAlreadyExists when the name is taken.
Status write_pin(AppendStore& store, const Repository& repository, std::string_view source, const Pin& pin,
                 Random& random);
// kDataLoss where one cannot be read: what it keeps is not known then.
Result<std::vector<Pin>> list_pins(ReadStore& store, const Repository& repository, std::string_view source);
Result<Pin> read_pin(ReadStore& store, const Repository& repository, std::string_view source, std::string_view name);
// Names of tags' objects (or that of their folder) in whose place something else stands, such as a folder or a link.
Result<std::vector<std::string>> displaced_pins(ReadStore& store, std::string_view source);
// What to say of one of them, for list_pins() and whoever shows all.
inline constexpr std::string_view kDisplacedPin = "something else stands in the place of a tag (a folder, a link)";
inline constexpr std::string_view kDisplacedPinHint =
    "copy the tag from a mirror; or remove what stands there, and tag the same position again";

}  // namespace anclora::storage

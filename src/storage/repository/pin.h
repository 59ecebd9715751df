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
Result<std::vector<Pin>> list_pins(ReadStore& store, const Repository& repository, std::string_view source);
Result<Pin> read_pin(ReadStore& store, const Repository& repository, std::string_view source, std::string_view name);

}  // namespace anclora::storage

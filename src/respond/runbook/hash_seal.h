// How a line of JSON carries its own hash: the object without its closing brace is hashed (BLAKE2b-256), and the hash
// is its last member. Shared by journals and drill records; docs/formats/run-journal.md. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace anclora::respond {

// `object` is one JSON object on one line. `hash` gets its hash; the line is returned without a newline.
std::string seal_line(std::string object, Hash256& hash);
// The hash that the line ends in. kDataLoss when there is none, or it does not fit the line.
Result<Hash256> check_seal(std::string_view line);
// 64 hex digits. kDataLoss otherwise.
Result<Hash256> parse_hash(std::string_view hex);

}  // namespace anclora::respond

// What the log of a replica says about the commands of its primary that it answered with an error. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace anclora::redis {

// The first such error, cut before the arguments that it quotes: "unknown command 'HSETEX'". Nothing when the log
// tells of none.
std::optional<std::string> first_replication_error(std::string_view log);

}  // namespace anclora::redis

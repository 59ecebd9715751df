// "did you mean": the closest of the words that are allowed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace anclora::plan {

// The candidate with the fewest letters added, dropped, changed or swapped, "" when none is near.
std::string closest_word(std::string_view word, const std::vector<std::string>& candidates);
// "did you mean redis.restore?", or "one of: a, b, c" (at most `limit` of them).
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates, std::size_t limit = 12);

}  // namespace anclora::plan

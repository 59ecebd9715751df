// What a person does not see, or sees in another order than the program: C1 controls, line separators, marks of
// direction.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace anclora::plan {

// The offset of the first of these and its code point; nothing where there is none before bytes that are no UTF-8.
std::optional<std::pair<std::size_t, char32_t>> first_unseen(std::string_view text);

}  // namespace anclora::plan

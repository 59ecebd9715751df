// The plans in tests/plans and plans/, for tests.
#pragma once

#include <string>

namespace anclora::plan {

// The content of a file of the source tree ("tests/plans/good.yaml"): below ANCLORA_SOURCE_DIR when that is set, else
// below the tree that this was compiled from. Ends the test program when there is none.
std::string source_file(const std::string& relative);

}  // namespace anclora::plan

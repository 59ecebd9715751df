// How long an incident's journal was and in which hash it ended, noted in the repository: whoever cuts lines off its
// end later, or writes it anew, is found out. docs/formats/incident-log.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace anclora::respond {

struct IncidentAnchor {
  std::uint64_t records = 0;
  std::string hash;  // of that line, hexadecimal
  WallTime time;
};

// Ok too when this length was noted before.
Status write_anchor(storage::AppendStore& store, const storage::Repository& repository, const std::string& incident,
                    const IncidentAnchor& anchor, Random& random);
// By length; empty when there is none.
Result<std::vector<IncidentAnchor>> read_anchors(storage::ReadStore& store, const storage::Repository& repository,
                                                 const std::string& incident);

}  // namespace anclora::respond

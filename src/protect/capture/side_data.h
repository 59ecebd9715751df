// What an RDB lacks and a recovery wants: ACL, configuration, modules, INFO, as JSON beside a base.
#pragma once

#include <string>

#include "redis/client/client.h"

namespace anclora::protect {

// {"acl_list": [...], "config": {...}, "modules": [...], "info": "...", "missing": {"acl_list": "why"}}. What the user
// may not ask is named under "missing". With `mask`, passwords and their hashes are replaced by "(masked)".
// An error: the connection broke.
Result<std::string> collect_side_data(redis::Client& client, bool mask);

}  // namespace anclora::protect

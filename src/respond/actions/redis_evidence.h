// redis.evidence: what a damaged server was, kept before anything is changed; its history is no longer rewritten.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/random.h"
#include "base/socket.h"
#include "respond/actions/opened_repository.h"

namespace anclora::respond {

// Passwords and password hashes of an `ACL LIST` line masked. Pure.
std::string masked_acl_line(std::string_view line);

// With `to`: a folder named for the run and the step, with the server's INFO, configuration, users and clients (secrets
// masked), and with `invariants` the damaged keys as they are. With `rdb_max_mib` also server.rdb, a plain RDB of the
// server as it is now, unless that is larger, larger than half of the free disk, or not there within `rdb_within` (at
// most half of the step's time): then a note tells why, and the step goes on. With `repository`: its newest point is
// pinned, once it holds what the server has. Automatic rewrites of the append-only file are switched off. Nothing is
// deleted. Outputs: "folder", "files", "rdb", "rdb_bytes", "tag", "position".
std::unique_ptr<Action> make_redis_evidence(OpenRepository open, FileSystem& files, Random& random, Dialer& dialer);

}  // namespace anclora::respond

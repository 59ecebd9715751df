// Records: what was verified, restored, drilled, reported; JSON documents, sealed, written once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/repository/repository.h"

namespace anclora::storage {

// `kind` and `id` are components of an object name ("verification", "2026-11-24T12-00-00Z-1f3a"). kAlreadyExists when
// the name is taken by other content.
Status write_record(AppendStore& store, const Repository& repository, std::string_view kind, std::string_view id,
                    ByteView json, Random& random);
// Ids, sorted: with ids that begin with a time, the newest is the last.
Result<std::vector<std::string>> list_records(ReadStore& store, std::string_view kind);
// The JSON text; kNotFound.
Result<Bytes> read_record(ReadStore& store, const Repository& repository, std::string_view kind, std::string_view id);

}  // namespace anclora::storage

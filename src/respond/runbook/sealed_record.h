// A record that is one line of JSON with its own hash (hash_seal.h): what its readers share. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "respond/runbook/hash_seal.h"

namespace anclora::respond {

// kUnsupported unless the record's "v" is `known`.
inline Status check_record_version(const nlohmann::ordered_json& json, int known) {
  if (json.at("v").get<int>() == known) return {};
  return Error(ErrorKind::kUnsupported, "written in version " + json.at("v").dump(), "install a newer anclora");
}

// What `read` makes of the line's object, with the line's hash as its `hash`. kDataLoss when the line has more than
// `limit_bytes`, does not fit its hash, or `read` throws because a field is missing or of another type.
template <class Decoded>
Result<Decoded> decode_sealed(std::string_view line, std::size_t limit_bytes,
                              Result<Decoded> (*read)(const nlohmann::ordered_json&)) {
  if (line.size() > limit_bytes) return Error(ErrorKind::kDataLoss, "longer than a record may be");
  ASSIGN_OR_RETURN(const Hash256 hash, check_seal(line));
  try {
    auto decoded = read(nlohmann::ordered_json::parse(line));
    if (decoded) decoded->hash = hash;
    return decoded;
  } catch (const nlohmann::json::exception& error) {
    return Error(ErrorKind::kDataLoss, std::string("no record: ") + error.what());
  }
}

}  // namespace anclora::respond

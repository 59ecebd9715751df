#include <nlohmann/json.hpp>

#include "base/write_file.h"
#include "storage/repository/json_fields.h"
#include "storage/repository/repository_keys.h"

namespace anclora::storage {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxCacheBytes = 4 * kMiB;

std::string cache_path(const std::string& folder) { return folder + "/repository.json"; }

}  // namespace

Status write_cached_head(FileSystem& files, const std::string& folder, const RepositoryHead& head) {
  Json json = {{"config", head.config}, {"keys", Json::object()}};
  for (const auto& [name, text] : head.slots) json["keys"][name] = text;
  const std::string text = document_text(json);
  const std::string path = cache_path(folder);
  if (const Result<Bytes> there = files.read_all(path, kMaxCacheBytes); there && *there == text) return {};
  RETURN_IF_ERROR(files.create_directories(folder));
  return replace_file(files, path, text);
}

Result<RepositoryHead> read_cached_head(FileSystem& files, const std::string& folder) {
  const std::string path = cache_path(folder);
  ASSIGN_OR_RETURN(const Bytes text, files.read_all(path, kMaxCacheBytes));
  RepositoryHead head;
  RETURN_IF_ERROR(read_document(text, path, [&](const Json& json) {
    head.config = text_of(json, "config");
    const Json& keys = member(json, "keys");
    if (!keys.is_object()) refuse_document("field \"keys\" is not an object");
    for (auto it = keys.begin(); it != keys.end(); ++it) head.slots[it.key()] = text_of(keys, it.key().c_str());
  }));
  return head;
}

}  // namespace anclora::storage

#include "storage/repository/base_manifest.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "storage/repository/base_info_json.h"
#include "storage/repository/json_fields.h"
#include "storage/repository/sealed_object.h"

namespace anclora::storage {
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kFormat = 1;

}  // namespace

Bytes encode_base_manifest(const BaseManifest& manifest) {
  Json json = {{"format", kFormat}, {"base", base_info_json(manifest.base)}, {"hash", to_hex(manifest.hash)}};
  Json& parts = json["parts"] = Json::array();
  for (const BasePart& part : manifest.parts)
    parts.push_back({{"plain_bytes", part.plain_bytes}, {"stored_bytes", part.stored_bytes}});
  return document_text(json);
}

Result<BaseManifest> decode_base_manifest(ByteView content, std::string_view object_name) {
  BaseManifest manifest;
  std::uint64_t format = 0;
  RETURN_IF_ERROR(read_document(content, object_name, [&](const Json& json) {
    format = number_of(json, "format");
    if (format != kFormat) return;
    manifest.base = read_base_info_json(member(json, "base"));
    manifest.hash = hash_of(json, "hash");
    std::uint64_t plain = 0;
    std::uint64_t stored = 0;
    for (const Json& part : list_of(json, "parts")) {
      manifest.parts.push_back({number_of(part, "plain_bytes", INT64_MAX), number_of(part, "stored_bytes", INT64_MAX)});
      plain += manifest.parts.back().plain_bytes;
      stored += manifest.parts.back().stored_bytes;
    }
    const BaseInfo& base = manifest.base;
    if (manifest.parts.size() != base.parts || plain != base.rdb_bytes || stored != base.stored_bytes)
      refuse_document("its parts do not add up to the base");
  }));
  if (format != kFormat) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("{} is a base of format {}, this program reads {}", object_name, format, kFormat),
                 "install the release of anclora that wrote it, or a later one");
  }
  return manifest;
}

Result<BaseInfo> read_base_info(ReadStore& store, const Repository& repository, std::string_view source,
                                TimelineId timeline, std::string_view base) {
  const std::string name = layout::base_manifest(source, timeline, base);
  ASSIGN_OR_RETURN(const Bytes content, read_sealed(store, repository, name));
  ASSIGN_OR_RETURN(BaseManifest manifest, decode_base_manifest(content, name));
  if (manifest.base.name != base || manifest.base.timeline != timeline)
    return Error(ErrorKind::kDataLoss, name + " is the manifest of another base");
  return std::move(manifest.base);
}

}  // namespace anclora::storage

#include "storage/repository/repository_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "storage/journal/key_slot.h"
#include "storage/repository/json_fields.h"

namespace anclora::storage {
namespace {

using Json = nlohmann::json;

constexpr const char* kConfig = "config";
// The release that brought format 1. A later format writes its own here, so that we can name it.
constexpr const char* kSinceRelease = "0.1.0";
constexpr std::string_view kHashContext = "anclora config hash 1\n";
// Features that a reader must know, or it would misread or harm the repository.
constexpr std::string_view kCommandFrames = "command frames";
constexpr std::array kKnownFeatures{kCommandFrames};

Hash256 mac_of(ByteView text, const ObjectKey& key) {
  if (key.repository_key) return config_mac(*key.repository_key, text);
  return hash256(std::string(kHashContext) + std::string(text));
}

// A flipped bit can look like that, too: nothing of a newer configuration may be believed before it is understood.
Error too_new(const std::string& message, std::string_view release) {
  return Error(ErrorKind::kUnsupported, "config: " + message,
               fmt::format("install anclora {} or later on this machine; if that is what runs here, config is damaged: "
                           "copy it from a mirror",
                           release));
}

// A document of this or a newer format: only what every format keeps may be read from it.
std::optional<Error> why_too_new(const Json& json) {
  const std::uint64_t format = number_of(json, "format");
  if (format > kRepositoryFormat) {
    return too_new(fmt::format("the repository is of format {}, this program knows {}", format, kRepositoryFormat),
                   text_of(json, "since"));
  }
  if (format == 0) refuse_document("0 is not a format");
  for (const Json& feature : list_of(json, "required_features")) {
    const std::string name = text_of(feature, "name");
    if (std::ranges::find(kKnownFeatures, name) == kKnownFeatures.end())
      return too_new(fmt::format("the repository needs the feature \"{}\", which this program lacks", name),
                     text_of(feature, "since"));
  }
  return std::nullopt;
}

bool needs(const Json& json, std::string_view feature) {
  return std::ranges::any_of(list_of(json, "required_features"),
                             [feature](const Json& each) { return text_of(each, "name") == feature; });
}

}  // namespace

Bytes encode_config(const RepositoryConfig& config, const ObjectKey& key) {
  Json required = Json::array();
  if (config.command_frames) required.push_back({{"name", kCommandFrames}, {"since", kSinceRelease}});
  Json json = {{"type", "anclora repository"},
               {"format", kRepositoryFormat},
               {"since", kSinceRelease},
               {"required_features", std::move(required)},
               {"optional_features", Json::array()},
               {"repository", config.id},
               {"encrypted", config.encrypted},
               {"single_writer", config.single_writer},
               {"created", format_rfc3339(config.created)}};
  json["mac"] = to_hex(mac_of(document_text(json), key));
  return document_text(json);
}

Result<RepositoryConfig> decode_config(ByteView text) {
  RepositoryConfig config;
  std::optional<Error> newer;
  const Status read = read_document(text, kConfig, [&](const Json& json) {
    if (text_of(json, "type") != "anclora repository") refuse_document("not the configuration of a repository");
    newer = why_too_new(json);
    if (newer) return;
    config.id = text_of(json, "repository");
    const Result<Bytes> id = from_hex(config.id);
    if (!id || id->size() != 16) refuse_document("field \"repository\" is not 32 hex digits");
    config.encrypted = flag_of(json, "encrypted");
    config.single_writer = flag_of(json, "single_writer");
    config.command_frames = needs(json, kCommandFrames);
    config.created = time_of(json, "created");
  });
  if (!read.has_value()) return read.error().with_hint("it is damaged: copy it from a mirror, of before the damage");
  if (newer) return *newer;
  return config;
}

Status check_config(ByteView text, const ObjectKey& key) {
  bool right = false;
  RETURN_IF_ERROR(read_document(text, kConfig, [&](const Json& json) {
    const Hash256 mac = hash_of(json, "mac");
    Json rest = json;
    rest.erase("mac");
    const std::string canonical = document_text(rest);
    right = document_text(json) == text && (key.repository_key ? config_mac_matches(*key.repository_key, canonical, mac)
                                                               : mac_of(canonical, key) == mac);
  }));
  if (right) return {};
  return Error(ErrorKind::kDataLoss, "config is not as it was written: damaged or tampered with",
               "compare it with that of a mirror");
}

}  // namespace anclora::storage

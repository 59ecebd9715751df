#include <nlohmann/json.hpp>

#include "storage/journal/key_slot.h"
#include "storage/journal/newer_format.h"

namespace anclora::storage {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kType = "anclora key slot";
constexpr std::string_view kKdf = "argon2id13";

Error wrong(std::string_view field, std::string_view why) {
  return Error(ErrorKind::kDataLoss, "key slot: field \"" + std::string(field) + "\": " + std::string(why));
}

Result<std::string> text(const Json& json, const char* field) {
  const auto found = json.find(field);
  if (found == json.end() || !found->is_string()) return wrong(field, "missing, or not a text");
  return found->get<std::string>();
}

Result<std::uint64_t> number(const Json& json, const char* field) {
  const auto found = json.find(field);
  if (found == json.end() || !found->is_number_unsigned()) return wrong(field, "missing, or not a number");
  return found->get<std::uint64_t>();
}

Result<Bytes> hex(const Json& json, const char* field, std::size_t size) {
  ASSIGN_OR_RETURN(const std::string digits, text(json, field));
  const auto bytes = from_hex(digits);
  // As it was written, in small letters: a flipped bit must not pass for the same value.
  if (!bytes.has_value() || bytes->size() != size || to_hex(*bytes) != digits)
    return wrong(field, "not " + std::to_string(size) + " bytes in hexadecimal");
  return *bytes;
}

Status read_kdf(const Json& json, KeySlot& slot) {
  const auto kdf = json.find("kdf");
  if (kdf == json.end() || !kdf->is_object()) return wrong("kdf", "missing");
  ASSIGN_OR_RETURN(const std::string name, text(*kdf, "name"));
  if (name != kKdf) return newer_format("key slot: unknown key derivation \"" + name.substr(0, 40) + "\"");
  ASSIGN_OR_RETURN(slot.salt, hex(*kdf, "salt", 16));
  ASSIGN_OR_RETURN(slot.operations, number(*kdf, "operations"));
  ASSIGN_OR_RETURN(slot.memory_bytes, number(*kdf, "memory_bytes"));
  return {};
}

Status check_version(const Json& json) {
  ASSIGN_OR_RETURN(const std::string type, text(json, "type"));
  if (type != kType) return wrong("type", "not \"" + std::string(kType) + "\"");
  ASSIGN_OR_RETURN(const std::uint64_t version, number(json, "version"));
  if (version == kVersion) return {};
  if (version == 0) return wrong("version", "0 is not a version");
  return newer_version("key slot", version, kVersion);
}

}  // namespace

Bytes encode_key_slot(const KeySlot& slot) {
  Json json;
  json["type"] = kType;
  json["version"] = kVersion;
  json["repository"] = to_hex(slot.repository_id);
  json["kind"] = to_string(slot.kind);
  json["created"] = format_rfc3339(slot.created);
  if (slot.kind == KeySlotKind::kPassphrase) {
    json["kdf"] = {{"name", kKdf},
                   {"salt", to_hex(slot.salt)},
                   {"operations", slot.operations},
                   {"memory_bytes", slot.memory_bytes}};
  }
  json["nonce"] = to_hex(slot.nonce);
  json["wrapped"] = to_hex(slot.wrapped);
  json["mac"] = to_hex(slot.mac);
  return json.dump(2) + "\n";
}

Result<KeySlot> decode_key_slot(ByteView bytes) {
  if (bytes.size() > kMaxKeySlotBytes) return Error(ErrorKind::kDataLoss, "key slot: larger than 16 KiB");
  const Json json = Json::parse(bytes, nullptr, false);
  if (!json.is_object()) return Error(ErrorKind::kDataLoss, "key slot: not a JSON object");
  RETURN_IF_ERROR(check_version(json));
  KeySlot slot;
  ASSIGN_OR_RETURN(slot.repository_id, hex(json, "repository", 16));
  ASSIGN_OR_RETURN(const std::string kind, text(json, "kind"));
  if (kind != to_string(KeySlotKind::kPassphrase) && kind != to_string(KeySlotKind::kRecovery))
    return wrong("kind", "neither passphrase nor recovery");
  slot.kind = kind == to_string(KeySlotKind::kPassphrase) ? KeySlotKind::kPassphrase : KeySlotKind::kRecovery;
  ASSIGN_OR_RETURN(const std::string created, text(json, "created"));
  const auto time = parse_rfc3339(created);
  if (!time.has_value() || format_rfc3339(*time) != created)
    return wrong("created", "not a time as it is written here");
  slot.created = *time;
  if (slot.kind == KeySlotKind::kPassphrase) RETURN_IF_ERROR(read_kdf(json, slot));
  ASSIGN_OR_RETURN(slot.nonce, hex(json, "nonce", 24));
  ASSIGN_OR_RETURN(slot.wrapped, hex(json, "wrapped", 48));
  ASSIGN_OR_RETURN(const Bytes mac, hex(json, "mac", slot.mac.size()));
  std::copy(mac.begin(), mac.end(), reinterpret_cast<char*>(slot.mac.data()));
  return slot;
}

}  // namespace anclora::storage

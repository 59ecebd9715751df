#include "respond/runbook/chained_line.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "respond/runbook/sealed_record.h"

namespace anclora::respond {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

std::string cut(const std::string& text) {
  if (text.size() <= kMaxRecordText) return text;
  return text.substr(0, kMaxRecordText) + " [cut]";
}

Result<DecodedLine> read_fields(const Json& json) {
  RETURN_IF_ERROR(check_record_version(json, kVersion));
  DecodedLine decoded;
  ChainedLine& line = decoded.line;
  line.number = json.at("n").get<std::uint64_t>();
  ASSIGN_OR_RETURN(line.time, parse_rfc3339(json.at("time").get<std::string>()));
  decoded.kind = json.at("kind").get<std::string>();
  line.step = json.value("step", "");
  line.attempt = json.value("attempt", 0U);
  line.actor = json.value("actor", "");
  line.text = json.value("text", "");
  line.request = json.value("request", "");
  if (json.contains("fields"))
    for (const auto& [name, value] : json.at("fields").items()) line.fields[name] = value.get<std::string>();
  ASSIGN_OR_RETURN(decoded.previous, parse_hash(json.at("prev").get<std::string>()));
  return decoded;
}

}  // namespace

std::string ChainedLine::field(std::string_view name) const {
  const auto found = fields.find(std::string(name));
  return found == fields.end() ? std::string() : found->second;
}

std::string encode_line(const ChainedLine& line, std::string_view kind, const Hash256& previous, Hash256& hash) {
  Json json;
  json["v"] = kVersion;
  json["n"] = line.number;
  json["time"] = format_rfc3339(line.time);
  json["kind"] = kind;
  if (!line.step.empty()) json["step"] = line.step;
  if (line.attempt != 0) json["attempt"] = line.attempt;
  if (!line.actor.empty()) json["actor"] = cut(line.actor);
  if (!line.text.empty()) json["text"] = cut(line.text);
  if (!line.request.empty()) json["request"] = line.request;
  std::size_t room = kMaxRecordBytes / 4;  // escaping may make a byte six
  for (const auto& [name, value] : line.fields) {
    std::string whole = cut(value);
    if (whole.size() + name.size() > room) whole = "[cut]";
    room -= std::min(room, whole.size() + name.size());
    json["fields"][name] = whole;
  }
  json["prev"] = to_hex(previous);
  return seal_line(json.dump(-1, ' ', false, Json::error_handler_t::replace), hash);
}

Result<DecodedLine> decode_line(std::string_view line) { return decode_sealed(line, kMaxLineBytes, read_fields); }

Error unknown_kind(std::string_view kind) {
  return Error(ErrorKind::kUnsupported, "the kind \"" + std::string(kind) + "\" is not known to this version",
               "install the version of anclora that wrote it");
}

}  // namespace anclora::respond

#include "respond/actions/setting_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

namespace anclora::respond {
namespace {

using Json = nlohmann::ordered_json;

// Where the value of a KEY=value line stands in the file, quotes left out.
struct ValueSpan {
  std::size_t start = 0, size = 0;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// The last line with this key counts, as for whoever reads such a file.
std::optional<ValueSpan> find_env(std::string_view file, std::string_view key) {
  std::optional<ValueSpan> found;
  for (std::size_t start = 0; start < file.size();) {
    const std::size_t end = std::min(file.find('\n', start), file.size());
    const std::string_view line = file.substr(start, end - start);
    const std::size_t equals = line.find('=');
    std::string_view name = trimmed(line.substr(0, equals));
    if (name.starts_with("export ")) name = trimmed(name.substr(7));
    if (equals != std::string_view::npos && name == key) {
      std::string_view value = trimmed(line.substr(equals + 1));
      const bool quoted =
          value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value.front() == '\'');
      if (quoted) value = value.substr(1, value.size() - 2);
      found = ValueSpan{static_cast<std::size_t>(value.data() - file.data()), value.size()};
      if (value.empty()) found->start = start + equals + 1 + (quoted ? 1 : 0);
    }
    start = end + 1;
  }
  return found;
}

std::vector<std::string> path_of(std::string_view key) {
  std::vector<std::string> names;
  while (true) {
    const std::size_t dot = key.find('.');
    names.emplace_back(key.substr(0, dot));
    if (dot == std::string_view::npos) return names;
    key = key.substr(dot + 1);
  }
}

Result<Json> parse_object(std::string_view file) {
  Json json = Json::parse(file, nullptr, false);
  if (json.is_object()) return json;
  return Error(ErrorKind::kFailedPrecondition, "the settings file is not a JSON object",
               "give the target the format that the file has: env, json or text");
}

bool has_line_break(std::string_view text) { return text.find_first_of("\r\n") != std::string_view::npos; }

}  // namespace

Result<SettingFormat> parse_setting_format(std::string_view text) {
  if (text.empty() || text == "env") return SettingFormat::kEnv;
  if (text == "json") return SettingFormat::kJson;
  if (text == "text") return SettingFormat::kText;
  return Error(ErrorKind::kInvalidArgument, fmt::format("no settings format \"{}\"", text), "env, json or text");
}

Result<std::optional<std::string>> read_setting(SettingFormat format, ByteView file, std::string_view key) {
  if (format == SettingFormat::kText) {
    std::string_view value = file;
    while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
    return std::optional<std::string>(value);
  }
  if (format == SettingFormat::kEnv) {
    const auto span = find_env(file, key);
    return span ? std::optional<std::string>(file.substr(span->start, span->size)) : std::nullopt;
  }
  ASSIGN_OR_RETURN(const Json json, parse_object(file));
  const Json* value = &json;
  for (const std::string& name : path_of(key)) {
    if (!value->is_object() || !value->contains(name)) return std::optional<std::string>();
    value = &(*value)[name];
  }
  return std::optional<std::string>(value->is_string() ? value->get<std::string>() : value->dump());
}

Result<Bytes> with_setting(SettingFormat format, ByteView file, std::string_view key, std::string_view value) {
  if (format == SettingFormat::kText) return Bytes(value) + "\n";
  if (format == SettingFormat::kJson) {
    ASSIGN_OR_RETURN(Json json, parse_object(file));
    Json* place = &json;
    for (const std::string& name : path_of(key)) {
      if (!place->is_object() && !place->is_null())
        return Error(ErrorKind::kFailedPrecondition,
                     fmt::format("\"{}\" leads through something that is no object", key));
      place = &(*place)[name];
    }
    *place = std::string(value);
    return json.dump(2) + "\n";
  }
  if (has_line_break(value) || has_line_break(key) || key.empty() || key.find('=') != std::string_view::npos)
    return Error(ErrorKind::kInvalidArgument,
                 "an env file cannot hold this key or value: one line each, no '=' in a key");
  Bytes changed(file);
  if (const auto span = find_env(file, key)) return changed.replace(span->start, span->size, value);
  if (!changed.empty() && !changed.ends_with('\n')) changed += '\n';
  return changed + fmt::format("{}={}\n", key, value);
}

Result<std::vector<std::string>> setting_keys(SettingFormat format, ByteView file) {
  std::vector<std::string> keys;
  if (format == SettingFormat::kText) return std::vector<std::string>{""};
  if (format == SettingFormat::kJson) {
    ASSIGN_OR_RETURN(const Json json, parse_object(file));
    const std::function<void(const Json&, const std::string&)> walk = [&](const Json& object, const std::string& at) {
      for (const auto& [name, value] : object.items()) {
        if (value.is_object() && !value.empty())
          walk(value, at + name + ".");
        else
          keys.push_back(at + name);
      }
    };
    walk(json, "");
    return keys;
  }
  for (std::size_t start = 0; start < file.size();) {
    const std::size_t end = std::min(file.find('\n', start), file.size());
    const std::string_view line = file.substr(start, end - start);
    std::string_view name = trimmed(line.substr(0, line.find('=')));
    if (name.starts_with("export ")) name = trimmed(name.substr(7));
    const bool setting = line.find('=') != std::string_view::npos && !name.empty() && name.front() != '#';
    if (setting && std::ranges::find(keys, name) == keys.end()) keys.emplace_back(name);
    start = end + 1;
  }
  return keys;
}

}  // namespace anclora::respond

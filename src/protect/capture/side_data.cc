#include "protect/capture/side_data.h"

#include <array>
#include <nlohmann/json.hpp>

namespace anclora::protect {
namespace {

using nlohmann::json;

constexpr std::string_view kMasked = "(masked)";
constexpr std::array<std::string_view, 6> kSecretParameters = {
    "requirepass", "masterauth", "primaryauth", "tls-key-file-pass", "tls-client-key-file-pass", "sentinel-pass"};

bool is_secret(std::string_view parameter) {
  return std::ranges::find(kSecretParameters, parameter) != kSecretParameters.end();
}

// "user alice on #<sha256 of the password> ~* +@all": the words that begin with # or > are secrets.
std::string mask_acl_line(const std::string& line) {
  std::string masked;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    const std::string word = line.substr(at, end - at);
    if (!masked.empty()) masked += ' ';
    const bool secret = word.starts_with('#') || word.starts_with('>');
    masked += secret ? word.substr(0, 1) + std::string(kMasked) : word;
    at = end + 1;
  }
  return masked;
}

// An answer's texts, printable as JSON whatever bytes they hold.
json texts_of(const redis::Reply& reply) {
  json array = json::array();
  for (const redis::Reply& element : reply.elements) {
    if (element.type == redis::Reply::Type::kArray) {
      array.push_back(texts_of(element));
    } else if (element.type == redis::Reply::Type::kInteger) {
      array.push_back(element.integer);
    } else {
      array.push_back(element.text);
    }
  }
  return array;
}

// Nothing when the server refused; an error when the connection broke.
Result<std::optional<redis::Reply>> ask(redis::Client& client, json& out, const std::string& field,
                                        std::initializer_list<std::string_view> words) {
  auto reply = client.command(words);
  if (reply) return std::optional(std::move(*reply));
  if (client.broken()) return reply.error();
  out["missing"][field] = reply.error().message();
  return std::optional<redis::Reply>{};
}

}  // namespace

Result<std::string> collect_side_data(redis::Client& client, bool mask) {
  json out = json::object();
  out["missing"] = json::object();
  ASSIGN_OR_RETURN(const auto acl, ask(client, out, "acl_list", {"ACL", "LIST"}));
  if (acl) {
    json lines = json::array();
    for (const std::string& line : acl->texts()) lines.push_back(mask ? mask_acl_line(line) : line);
    out["acl_list"] = std::move(lines);
  }
  ASSIGN_OR_RETURN(const auto config, ask(client, out, "config", {"CONFIG", "GET", "*"}));
  if (config) {
    json values = json::object();
    const auto texts = config->texts();
    for (std::size_t i = 0; i + 1 < texts.size(); i += 2) {
      const bool hide = mask && is_secret(texts[i]) && !texts[i + 1].empty();
      values[texts[i]] = hide ? std::string(kMasked) : texts[i + 1];
    }
    out["config"] = std::move(values);
  }
  ASSIGN_OR_RETURN(const auto modules, ask(client, out, "modules", {"MODULE", "LIST"}));
  if (modules) out["modules"] = texts_of(*modules);
  ASSIGN_OR_RETURN(const auto info, ask(client, out, "info", {"INFO"}));
  if (info) out["info"] = info->text;
  return out.dump(1, ' ', false, json::error_handler_t::replace);
}

}  // namespace anclora::protect

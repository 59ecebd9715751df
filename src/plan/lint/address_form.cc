#include "plan/lint/address_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/whole_number.h"

namespace anclora::plan {
namespace {

struct Parts {
  std::string scheme;
  std::string host;
  std::optional<std::string> port;
  std::string rest;  // from the path on
};

std::string lower(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return low;
}

// scheme://[user@]host[:port][/...]; nothing without "://".
std::optional<Parts> split(std::string_view text) {
  const auto mark = text.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  Parts parts;
  parts.scheme = lower(text.substr(0, mark));
  text.remove_prefix(mark + 3);
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, end);
  parts.rest = text.substr(end);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  const auto bracket = authority.starts_with('[') ? authority.find(']') : 0;
  const auto colon = bracket == std::string_view::npos ? bracket : authority.find(':', bracket);
  parts.host = lower(authority.substr(0, colon));
  if (colon != std::string_view::npos) parts.port = authority.substr(colon + 1);
  return parts;
}

bool is_port(std::string_view text) { return whole_number<std::uint16_t>(text).value_or(0) > 0; }

std::string complaint_of_place(const Parts& parts) {
  constexpr std::string_view kNotInAHost = " \t\r\n\"'<>\\^`{|}";
  if (parts.host.empty()) return "has no host";
  if (parts.host.find_first_of(kNotInAHost) != std::string::npos ||
      parts.host.starts_with('[') != parts.host.ends_with(']'))
    return fmt::format("has no host: \"{}\" is none", parts.host);
  if (parts.port && !is_port(*parts.port)) return fmt::format("has no port: \"{}\" is none", *parts.port);
  if (parts.rest.find_first_of(" \t\r\n") != std::string::npos) return "holds a space";
  return {};
}

std::string complaint_of_scheme(const std::optional<Parts>& parts, std::string_view one, std::string_view other) {
  if (parts && (parts->scheme == one || parts->scheme == other)) return complaint_of_place(*parts);
  return fmt::format("begins with neither {}:// nor {}://", one, other);
}

std::string canonical_host(const std::string& host) {
  if (host == "localhost" || host == "[::1]" || host == "::1" || host.starts_with("127.")) return "localhost";
  return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
}

std::string_view default_port(std::string_view scheme) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kPorts = {
      {{"http", "80"}, {"https", "443"}, {"redis", "6379"}, {"rediss", "6379"}}};
  for (const auto& [name, port] : kPorts)
    if (name == scheme) return port;
  return {};
}

}  // namespace

bool is_reference(std::string_view text) { return text.starts_with("env:") || text.starts_with("file:/"); }

std::string complaint_of_http(std::string_view text) { return complaint_of_scheme(split(text), "http", "https"); }

std::string complaint_of_mail_server(std::string_view text) {
  return complaint_of_scheme(split(text), "smtp", "smtps");
}

std::string complaint_of_redis(std::string_view text) {
  const auto parts = split(text);
  if (parts && parts->scheme == "unix") {
    const std::string_view path = text.substr(7);
    const auto at = path.find('@');
    return path.substr(at == std::string_view::npos ? 0 : at + 1).starts_with('/') ? ""
                                                                                   : "names no socket: unix:///path";
  }
  if (std::string complaint = complaint_of_scheme(parts, "redis", "rediss"); !complaint.empty()) return complaint;
  const std::string_view database = std::string_view(parts->rest).substr(0, parts->rest.find('?'));
  if (database.size() > 1 && (database.find_first_not_of("0123456789", 1) != std::string::npos || database.size() > 6))
    return fmt::format("has no database: \"{}\" is none", database.substr(1));
  return {};
}

std::string complaint_of_repository(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return {};  // a folder
  if (parts->scheme == "file") return "would be taken for a file that the address is read from";
  if (parts->scheme != "s3") return "is neither a path nor s3://";
  if (parts->host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") != std::string::npos ||
      parts->host.empty())
    return "names no bucket: s3://bucket/prefix";
  return {};
}

std::string canonical_address(std::string_view text) {
  if (text.starts_with("env:")) return std::string(text);
  const auto parts = split(text);
  const auto plain = [](std::string_view path) { return std::filesystem::path(path).lexically_normal().string(); };
  if (!parts) return plain(text);
  if (parts->scheme == "unix" || parts->scheme == "file") return plain(parts->rest);
  const std::string path = parts->rest.empty() ? std::string() : plain(parts->rest.substr(0, parts->rest.find('?')));
  return fmt::format("{}:{}{}", canonical_host(parts->host),
                     parts->port.value_or(std::string(default_port(parts->scheme))), path == "/" ? "" : path);
}

}  // namespace anclora::plan

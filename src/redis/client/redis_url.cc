#include "redis/client/redis_url.h"

#include <fmt/format.h>

#include <charconv>

#include "base/whole_number.h"

namespace anclora::redis {
namespace {

constexpr std::uint16_t kDefaultPort = 6379;
constexpr std::string_view kForm = "write redis://[user[:password]@]host[:port][/database]; rediss:// for TLS";

Error bad(std::string_view what) {
  return Error(ErrorKind::kInvalidArgument, fmt::format("the Redis URL {}", what), std::string(kForm));
}

Result<std::string> decode(std::string_view text, std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    const std::string_view hex = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
    if (hex.size() != 2 || error != std::errc() || end != hex.data() + 2) {
      return bad(fmt::format("has a bad percent escape in its {}", part)).with_hint("write % itself as %25");
    }
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

Status take_sign_in(std::string_view text, RedisUrl& url) {
  const std::size_t colon = text.find(':');
  ASSIGN_OR_RETURN(url.user, decode(text.substr(0, colon), "user"));
  if (colon == std::string_view::npos) return {};
  ASSIGN_OR_RETURN(std::string password, decode(text.substr(colon + 1), "password"));
  url.password = Secret(std::move(password));
  return {};
}

Status take_host_and_port(std::string_view text, RedisUrl& url) {
  std::string_view port;
  bool has_port = false;
  if (text.starts_with("[")) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return bad("has an IPv6 address without its ']'");
    url.endpoint.host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return bad("has something else than a port after the IPv6 address");
    has_port = !rest.empty();
    port = has_port ? rest.substr(1) : rest;
  } else {
    const std::size_t colon = text.find(':');
    if (colon != text.rfind(':')) {
      return Error(ErrorKind::kInvalidArgument, "the Redis URL has more than one ':' in its host",
                   "put an IPv6 address in brackets, and write '@', ':' and '/' in a password as %40, %3A and %2F");
    }
    url.endpoint.host = text.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
  }
  if (url.endpoint.host.empty()) return bad("has no host");
  url.endpoint.port = kDefaultPort;
  if (!has_port) return {};
  const auto value = whole_number<std::uint16_t>(port);
  if (!value || *value == 0) return bad("has a port that is no number from 1 to 65535");
  url.endpoint.port = *value;
  return {};
}

Status take_database(std::string_view text, RedisUrl& url) {
  const auto value = whole_number<std::uint32_t>(text);
  if (!value) return bad("has a database that is no number");
  url.database = *value;
  return {};
}

Status take_query(std::string_view query, RedisUrl& url) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    ASSIGN_OR_RETURN(std::string value, decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1), name));
    if (name == "db") {
      RETURN_IF_ERROR(take_database(value, url));
      continue;
    }
    std::string TlsOptions::* field = name == "ca"            ? &TlsOptions::ca_file
                                      : name == "cert"        ? &TlsOptions::certificate_file
                                      : name == "key"         ? &TlsOptions::key_file
                                      : name == "server-name" ? &TlsOptions::server_name
                                                              : nullptr;
    if (field == nullptr) {
      return Error(ErrorKind::kInvalidArgument, "the Redis URL has an unknown option after '?'",
                   "known are db, and with rediss:// also ca, cert, key and server-name");
    }
    if (!url.tls) return bad(fmt::format("has the option {}, which needs rediss://", name));
    (*url.tls).*field = std::move(value);
  }
  return {};
}

}  // namespace

Result<RedisUrl> RedisUrl::parse(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return bad("does not start with redis://, rediss:// or unix://");
  const std::string_view scheme = text.substr(0, scheme_end);
  std::string_view rest = text.substr(scheme_end + 3);
  RedisUrl url;
  if (scheme == "rediss") {
    url.tls = TlsOptions{};
  } else if (scheme != "redis" && scheme != "unix") {
    return bad("does not start with redis://, rediss:// or unix://");
  }
  const std::size_t query = rest.find('?');
  const std::string_view options = query == std::string_view::npos ? "" : rest.substr(query + 1);
  rest = rest.substr(0, query);
  const std::size_t at_sign = rest.rfind('@');
  if (at_sign != std::string_view::npos) {
    RETURN_IF_ERROR(take_sign_in(rest.substr(0, at_sign), url));
    rest.remove_prefix(at_sign + 1);
  }
  if (scheme == "unix") {
    ASSIGN_OR_RETURN(url.endpoint.host, decode(rest, "path"));
    if (!url.endpoint.host.starts_with("/")) return bad("with unix:// needs an absolute path: unix:///run/redis.sock");
  } else {
    const std::size_t slash = rest.find('/');
    RETURN_IF_ERROR(take_host_and_port(rest.substr(0, slash), url));
    if (slash != std::string_view::npos && slash + 1 < rest.size()) {
      RETURN_IF_ERROR(take_database(rest.substr(slash + 1), url));
    }
  }
  RETURN_IF_ERROR(take_query(options, url));
  return url;
}

std::string RedisUrl::to_string() const {
  const bool is_path = endpoint.host.starts_with("/");
  std::string out = is_path ? "unix://" : tls ? "rediss://" : "redis://";
  if (!user.empty()) out += user + "@";
  if (is_path) {
    out += endpoint.host;
  } else if (endpoint.host.find(':') != std::string::npos) {
    out += fmt::format("[{}]:{}", endpoint.host, endpoint.port);
  } else {
    out += fmt::format("{}:{}", endpoint.host, endpoint.port);
  }
  if (database != 0) out += is_path ? fmt::format("?db={}", database) : fmt::format("/{}", database);
  return out;
}

}  // namespace anclora::redis

#include "redis/client/info.h"

#include <fmt/format.h>

#include <charconv>

#include "base/whole_number.h"

namespace anclora::redis {
namespace {

// The value of `name` in "a=1,b=2".
std::string_view field(std::string_view line, std::string_view name) {
  while (!line.empty()) {
    const std::string_view pair = line.substr(0, line.find(','));
    line.remove_prefix(std::min(line.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
  }
  return {};
}

template <class Number>
Number field_number(std::string_view line, std::string_view name) {
  return whole_number<Number>(field(line, name)).value_or(0);
}

// N of "dbN", "slaveN".
std::optional<std::uint32_t> numbered(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  return whole_number<std::uint32_t>(name.substr(prefix.size()));
}

std::optional<Offset> to_offset(std::optional<std::int64_t> value) {
  if (!value || *value < 0) return std::nullopt;
  return Offset{static_cast<std::uint64_t>(*value)};
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  Version version;
  std::uint32_t* const parts[] = {&version.major, &version.minor, &version.patch};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < 3; ++i) {
    const auto [next, error] = std::from_chars(at, end, *parts[i]);
    if (error != std::errc()) {
      if (i == 0) return std::nullopt;
      break;
    }
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  return version;
}

std::string Version::to_string() const { return fmt::format("{}.{}.{}", major, minor, patch); }

Info Info::parse(std::string_view text) {
  Info info;
  std::string section;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("# ")) {
      section = line.substr(2);
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos && !line.starts_with('#')) {
      info.sections_[section][std::string(line.substr(0, colon))] = line.substr(colon + 1);
    }
  }
  return info;
}

std::optional<std::string_view> Info::text(std::string_view name) const {
  for (const auto& [section, lines] : sections_) {
    if (const auto found = lines.find(name); found != lines.end()) return found->second;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Info::number(std::string_view name) const {
  const auto value = text(name);
  return value ? whole_number<std::int64_t>(*value) : std::nullopt;
}

bool Info::flag(std::string_view name) const {
  const auto value = text(name);
  return value == "1" || value == "yes" || value == "on";
}

std::optional<Version> Info::redis_version() const { return Version::parse(text("redis_version").value_or("")); }
std::optional<Version> Info::valkey_version() const { return Version::parse(text("valkey_version").value_or("")); }

std::string Info::product() const {
  if (is_valkey()) return fmt::format("Valkey {}", *text("valkey_version"));
  return fmt::format("Redis {}", text("redis_version").value_or("of unknown version"));
}

std::string Info::announced_version() const {
  return std::string(text("valkey_version").value_or(text("redis_version").value_or("")));
}

std::string Info::replid2() const {
  const std::string_view id = text("master_replid2").value_or("");
  return id.find_first_not_of('0') == std::string_view::npos ? "" : std::string(id);
}

std::optional<Offset> Info::offset() const { return to_offset(number("master_repl_offset")); }
std::optional<Offset> Info::second_offset() const { return to_offset(number("second_repl_offset")); }

std::vector<Keyspace> Info::keyspaces() const {
  std::vector<Keyspace> all;
  const auto section = sections_.find("Keyspace");
  if (section == sections_.end()) return all;
  for (const auto& [name, line] : section->second) {
    if (const auto database = numbered(name, "db")) {
      all.push_back(
          {*database, field_number<std::uint64_t>(line, "keys"), field_number<std::uint64_t>(line, "expires")});
    }
  }
  return all;
}

std::vector<ReplicaLine> Info::replicas() const {
  std::vector<ReplicaLine> all;
  const auto section = sections_.find("Replication");
  if (section == sections_.end()) return all;
  for (const auto& [name, line] : section->second) {
    if (!numbered(name, "slave")) continue;
    ReplicaLine replica;
    replica.ip = field(line, "ip");
    replica.port = field_number<std::uint16_t>(line, "port");
    replica.state = field(line, "state");
    replica.offset = Offset{field_number<std::uint64_t>(line, "offset")};
    replica.lag_seconds = field_number<std::int64_t>(line, "lag");
    all.push_back(std::move(replica));
  }
  return all;
}

}  // namespace anclora::redis

#include "app/doctor/server_facts.h"

#include <charconv>
#include <fstream>
#include <set>

namespace anclora::app {
namespace {

using redis::Client;
using redis::Reply;

bool is_loopback(const std::string& host) {
  return host.starts_with("/") || host.starts_with("127.") || host == "::1" || host == "localhost";
}

Right right_after(const Result<Reply>& answer) {
  if (answer) return Right::kGranted;
  if (answer.error().kind() == ErrorKind::kPermissionDenied) return Right::kRefused;
  return answer.error().kind() == ErrorKind::kUnsupported ? Right::kMissing : Right::kUnknown;
}

// Whether the command exists under its own name; nothing when COMMAND INFO is refused.
std::optional<bool> exists(Client& client, std::string_view command) {
  const auto reply = client.command({"COMMAND", "INFO", command});
  if (!reply || reply->elements.size() != 1) return std::nullopt;
  return reply->elements[0].type == Reply::Type::kArray && !reply->elements[0].elements.empty();
}

// REPLCONF listening-port marks our own connection only.
Right replconf_right(Client& client) { return right_after(client.command({"REPLCONF", "listening-port", "0"})); }

Right psync_right(Client& client, const ServerFacts& facts) {
  if (exists(client, "psync") == false) return Right::kMissing;
  const auto version = facts.info.redis_version();
  if (!version || version->major < 6) return version ? Right::kGranted : Right::kUnknown;  // no ACL before 6
  if (!facts.user.empty()) {
    const auto dry_run = client.command({"ACL", "DRYRUN", facts.user, "PSYNC", "?", "-1"});
    if (dry_run) return dry_run->text == "OK" ? Right::kGranted : Right::kRefused;
  }
  if (version->major < 7) {
    // A PSYNC that cannot succeed starts a full resynchronisation there, so the rights are only read.
    const auto user = client.command({"ACL", "GETUSER", facts.user});
    const Reply* commands = user ? user->field("commands") : nullptr;
    if (commands == nullptr) return Right::kUnknown;
    const bool all = commands->text.find("+@all") != std::string::npos;
    const bool named = commands->text.find("+psync") != std::string::npos;
    const bool denied = commands->text.find("-psync") != std::string::npos;
    return (all && !denied) || named ? Right::kGranted : Right::kRefused;
  }
  // From 7.0 an offset that is no number is refused before anything is done, but after the rights were checked.
  const auto tried = client.command({"PSYNC", "?", "no-number"});
  if (tried || tried.error().kind() == ErrorKind::kFailedPrecondition) return Right::kGranted;
  return right_after(tried);
}

void probe_user(Client& client, ServerFacts& facts) {
  if (const auto who = client.command({"ACL", "WHOAMI"})) facts.user = who->text;
  if (facts.user.empty()) facts.user = client.url().user;
  // A replica's user may neither read nor write keys.
  if (const auto user = client.command({"ACL", "GETUSER", facts.user})) {
    const Reply* commands = user->field("commands");
    facts.user_is_powerful = commands != nullptr && commands->text.find("+@all") != std::string::npos;
  }
}

void probe_config(Client& client, ServerFacts& facts) {
  const auto all = client.command({"CONFIG", "GET", "*"});
  facts.config_right = right_after(all);
  if (!all) return;
  // Secrets are not kept.
  static const std::set<std::string> kSecrets = {"requirepass", "masterauth", "primaryauth", "tls-key-file-pass",
                                                 "tls-client-key-file-pass"};
  for (std::size_t i = 0; i + 1 < all->elements.size(); i += 2) {
    const std::string& name = all->elements[i].text;
    if (!kSecrets.contains(name)) facts.config[name] = all->elements[i + 1].text;
  }
}

void probe_rate(Client& client, Clock& clock, Duration window, ServerFacts& facts) {
  const MonoTime before = clock.mono_now();
  const auto first = client.info();
  if (!first) return;
  clock.sleep_for(window);
  const auto second = client.info();
  const double seconds = std::chrono::duration<double>(clock.mono_now() - before).count();
  if (!second || seconds <= 0) return;
  // The offset stands still until the first replica has made the source keep a backlog.
  const bool counts = second->flag("repl_backlog_active") || second->number("connected_slaves").value_or(0) > 0;
  const std::string_view name = counts ? "master_repl_offset" : "total_net_input_bytes";
  const auto from = first->number(name);
  const auto to = second->number(name);
  if (!from || !to || *to < *from) return;
  constexpr std::int64_t kOurOwnBytes = 14;  // the second INFO
  const std::int64_t bytes = std::max<std::int64_t>(0, *to - *from - (counts ? 0 : kOurOwnBytes));
  facts.write_rate = WriteRate{static_cast<double>(bytes) / seconds, !counts};
  facts.info = *second;
}

void probe_surroundings(Client& client, ServerFacts& facts) {
  if (const auto count = client.command({"PUBSUB", "NUMSUB", "__sentinel__:hello"});
      count && count->elements.size() == 2) {
    facts.sentinels = count->elements[1].integer;
  }
  if (const auto modules = client.command({"MODULE", "LIST"})) {
    for (const Reply& module : modules->elements) {
      if (const Reply* name = module.field("name")) facts.modules.push_back(name->text);
    }
  }
}

// The last value of a directive wins, but every `save` adds to the ones before.
void read_config_file(const std::string& path, ServerFacts& facts) {
  std::ifstream file(path);
  if (!file) return;
  facts.file_config_read = true;
  for (std::string line; std::getline(file, line);) {
    const std::size_t begin = line.find_first_not_of(" \t");
    const std::size_t space = line.find_first_of(" \t", begin == std::string::npos ? 0 : begin);
    if (begin == std::string::npos || line[begin] == '#' || space == std::string::npos) continue;
    const std::string name = line.substr(begin, space - begin);
    std::string value = line.substr(line.find_first_not_of(" \t", space));
    while (!value.empty() && (value.back() == '\r' || value.back() == ' ')) value.pop_back();
    if (name != "appendonly" && name != "save") continue;
    std::string& kept = facts.file_config[name];
    const bool adds = name == "save" && !kept.empty() && value != "\"\"";
    if (!adds) kept.clear();
    kept.append(adds ? " " : "").append(value);
  }
}

void probe_machine(ServerFacts& facts) {
  if (!facts.is_local) return;
  int value = 0;
  if (std::ifstream("/proc/sys/vm/overcommit_memory") >> value) facts.overcommit_memory = value;
  const std::string path(facts.info.text("config_file").value_or(""));
  if (path.starts_with("/")) read_config_file(path, facts);
}

}  // namespace

std::optional<std::string> ServerFacts::setting(std::string_view name) const {
  const auto found = config.find(std::string(name));
  return found == config.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> ServerFacts::number_setting(std::string_view name) const {
  const auto text = setting(name);
  std::uint64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

Result<ServerFacts> probe_server(const redis::RedisUrl& url, Dialer& dialer, Clock& clock, Duration rate_window) {
  ASSIGN_OR_RETURN(const auto client, Client::connect(url, dialer, clock));
  ServerFacts facts;
  facts.url = url.to_string();
  facts.is_local = is_loopback(url.endpoint.host) || client->peer().host == client->local().host;
  facts.is_encrypted = url.tls.has_value() || url.endpoint.host.starts_with("/");
  ASSIGN_OR_RETURN(facts.info, client->info());
  if (facts.info.is_sentinel()) return facts;
  probe_user(*client, facts);
  facts.replconf = replconf_right(*client);
  facts.psync = psync_right(*client, facts);
  probe_config(*client, facts);
  probe_surroundings(*client, facts);
  probe_rate(*client, clock, rate_window, facts);
  probe_machine(facts);
  return facts;
}

}  // namespace anclora::app

#include "redis/replication/feeder_protocol.h"

#include <utility>

#include "base/whole_number.h"

namespace anclora::redis {
namespace {

constexpr int kWrongPasswordsLimit = 3;
constexpr std::size_t kCapabilitiesLimit = 64;

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

FeederProtocol::FeederProtocol(const FeederIdentity& identity, Offset resumable_up_to)
    : identity_(identity), resumable_up_to_(resumable_up_to), authenticated_(identity.password.empty()) {}

void FeederProtocol::reply(std::string_view line) {
  output_.append(line);
  output_.append("\r\n");
}

Status FeederProtocol::receive(ByteView bytes) {
  parser_.feed(bytes);
  while (true) {
    ASSIGN_OR_RETURN(const auto words, parser_.next());
    if (!words) return {};
    RETURN_IF_ERROR(execute(*words));
  }
}

Status FeederProtocol::execute(const std::vector<std::string>& words) {
  const std::string& name = words.front();
  if (synchronizing_) {
    // From here on only acknowledgements are expected, and nothing is answered: a reply would be read as data.
    if (name == "REPLCONF") return configure(words);
    return Error(ErrorKind::kInvalidArgument, "not a replica: a command other than REPLCONF after PSYNC");
  }
  if (name == "AUTH") return authenticate(words);
  if (!authenticated_) {
    reply("-NOAUTH Authentication required.");
    return {};
  }
  if (name == "REPLCONF") return configure(words);
  if (name == "PSYNC") return synchronize(words);
  if (name == "PING")
    reply("+PONG");
  else if (name == "SYNC")
    reply("-ERR SYNC is not served here, only PSYNC");
  else
    reply("-ERR unknown command: this is Anclora DR, which serves replication only");
  return {};
}

Status FeederProtocol::authenticate(const std::vector<std::string>& words) {
  if (words.size() != 2 && words.size() != 3) {
    reply("-ERR wrong number of arguments for 'auth' command");
    return {};
  }
  const bool right_user = identity_.user.empty() || words.size() == 2 || words[1] == identity_.user;
  const bool right = identity_.password.empty() || (identity_.password.equals(Secret(words.back())) && right_user);
  if (right) {
    authenticated_ = true;
    reply("+OK");
    return {};
  }
  reply("-WRONGPASS invalid username-password pair or user is disabled.");
  if (++wrong_passwords_ < kWrongPasswordsLimit) return {};
  return Error(ErrorKind::kUnauthenticated, "three wrong passwords");
}

Status FeederProtocol::configure(const std::vector<std::string>& words) {
  if (words.size() % 2 == 0) {
    if (!synchronizing_) reply("-ERR syntax error");
    return {};
  }
  for (std::size_t i = 1; i + 1 < words.size(); i += 2) {
    const std::string option = lower(words[i]);
    const std::string& value = words[i + 1];
    if (option == "ack") {
      if (const auto offset = whole_number<std::uint64_t>(value)) acknowledged_ = Offset{*offset};
      return {};
    }
    if (option == "listening-port") {
      target_.listening_port = whole_number<std::uint16_t>(value).value_or(0);
    } else if (option == "ip-address") {
      target_.announced_address = value;
    } else if (option == "capa") {
      if (target_.capabilities.size() < kCapabilitiesLimit) target_.capabilities.push_back(lower(value));
    } else if (option == "version") {
      target_.version = value;
    } else if (!synchronizing_) {
      reply("-ERR Unrecognized REPLCONF option: " + option.substr(0, 32));
      return {};
    }
  }
  if (!synchronizing_) reply("+OK");
  return {};
}

Status FeederProtocol::synchronize(const std::vector<std::string>& words) {
  if (words.size() < 3) {
    reply("-ERR wrong number of arguments for 'psync' command");
    return {};
  }
  synchronizing_ = true;
  SyncRequest request{.full = true, .after = identity_.base_offset};
  const auto next = whole_number<std::uint64_t>(words[2]);
  // A former primary asks with its own id, never with "?": any id that is not ours gets everything.
  if (lower(words[1]) == identity_.replication_id && next && *next > identity_.base_offset.value &&
      *next - 1 <= resumable_up_to_.value)
    request = {.full = false, .after = Offset{*next - 1}};
  sync_request_ = request;
  return {};
}

Bytes FeederProtocol::answer(const SyncRequest& request) const {
  if (!request.full) return "+CONTINUE " + identity_.replication_id + "\r\n";
  return "+FULLRESYNC " + identity_.replication_id + " " + std::to_string(identity_.base_offset.value) + "\r\n";
}

Bytes FeederProtocol::base_head(std::uint64_t size_bytes) { return "$" + std::to_string(size_bytes) + "\r\n"; }

}  // namespace anclora::redis

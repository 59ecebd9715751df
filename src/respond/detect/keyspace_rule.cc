#include "respond/detect/keyspace_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "redis/client/client.h"

namespace anclora::respond {
namespace {

constexpr std::size_t kExamples = 5;
using Commands = std::vector<std::vector<std::string>>;

std::string printable(std::string_view key) {
  constexpr std::size_t kLongest = 120;
  std::string text;
  for (const char c : key.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f && byte < 0x80)
      text += c;
    else
      text += fmt::format("\\x{:02x}", byte);
  }
  return key.size() > kLongest ? text + "..." : text;
}

// One kind of wrongness of a rule: how many keys, and a few of them.
struct Wrong {
  std::uint64_t keys = 0;
  std::vector<std::string> examples;
  void add(std::string_view key, std::string_view what) {
    ++keys;
    if (examples.size() < kExamples) examples.push_back(fmt::format("{} ({})", printable(key), what));
  }
};

class RuleScan {
 public:
  RuleScan(redis::Client& client, const KeyspaceRule& rule, Clock& clock, MonoTime deadline, KeyspaceLimits limits)
      : client_(client), rule_(rule), clock_(clock), deadline_(deadline), limits_(limits) {}

  Result<std::vector<Violation>> run() {
    ASSIGN_OR_RETURN(const redis::Reply selected, one({"SELECT", std::to_string(rule_.database)}));
    static_cast<void>(selected);
    std::string cursor = "0";
    do {
      ASSIGN_OR_RETURN(const redis::Reply reply,
                       one({"SCAN", cursor, "MATCH", rule_.pattern, "COUNT", std::to_string(limits_.batch)}));
      if (reply.elements.size() != 2) return Error(ErrorKind::kFailedPrecondition, "SCAN answered in an unknown shape");
      cursor = reply.elements[0].text;
      std::vector<std::string> keys = reply.elements[1].texts();
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
      RETURN_IF_ERROR(look_at(keys));
      seen_ += keys.size();
      if (seen_ > limits_.scanned_keys)
        return Error(ErrorKind::kResourceExhausted,
                     fmt::format("more than {} keys match \"{}\"", limits_.scanned_keys, rule_.pattern));
    } while (cursor != "0");
    return judge();
  }

 private:
  Result<std::vector<redis::Reply>> many(const Commands& commands) {
    const Duration left = deadline_ - clock_.mono_now();
    if (left <= Duration::zero())
      return Error(ErrorKind::kDeadlineExceeded, fmt::format("the check of \"{}\" took too long", rule_.id));
    return client_.pipeline(commands, left);
  }
  Result<redis::Reply> one(std::vector<std::string> command) {
    const std::string name = command.front();
    ASSIGN_OR_RETURN(auto replies, many({std::move(command)}));
    if (replies.front().is_error())
      return Error(ErrorKind::kFailedPrecondition, fmt::format("{} was refused: {}", name, replies.front().text));
    return std::move(replies.front());
  }

  Status look_at(const std::vector<std::string>& keys) {
    const std::string type = rule_.fields.empty() ? rule_.type : "hash";
    if (!type.empty()) RETURN_IF_ERROR(look_at_types(keys, type));
    if (rule_.expiry != Expiry::kAny) RETURN_IF_ERROR(look_at_expiry(keys));
    if (!rule_.fields.empty()) RETURN_IF_ERROR(look_at_fields(keys));
    return {};
  }
  Status look_at_types(const std::vector<std::string>& keys, const std::string& type) {
    ASSIGN_OR_RETURN(const auto replies,
                     ask(keys, [](const std::string& key) { return std::vector<std::string>{"TYPE", key}; }));
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (replies[i].text != type && replies[i].text != "none") types_.add(keys[i], replies[i].text);
    return {};
  }
  Status look_at_expiry(const std::vector<std::string>& keys) {
    ASSIGN_OR_RETURN(const auto replies,
                     ask(keys, [](const std::string& key) { return std::vector<std::string>{"PTTL", key}; }));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::int64_t left = replies[i].integer;  // -1: none, -2: the key is gone meanwhile
      if (rule_.expiry == Expiry::kRequired && left == -1) expiry_.add(keys[i], "never expires");
      if (rule_.expiry == Expiry::kForbidden && left >= 0) expiry_.add(keys[i], fmt::format("expires in {} ms", left));
    }
    return {};
  }
  Status look_at_fields(const std::vector<std::string>& keys) {
    ASSIGN_OR_RETURN(const auto replies, ask(keys, [this](const std::string& key) {
                       std::vector<std::string> command = {"HMGET", key};
                       command.insert(command.end(), rule_.fields.begin(), rule_.fields.end());
                       return command;
                     }));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto& values = replies[i].elements;  // empty for another type: told as such already
      // A key that went away meanwhile has none of its fields; one that stands has some.
      if (std::all_of(values.begin(), values.end(), [](const auto& value) { return value.is_null(); })) {
        if (values.size() == rule_.fields.size() && !values.empty())
          fields_.add(keys[i], "without " + rule_.fields.front());
        continue;
      }
      for (std::size_t f = 0; f < values.size(); ++f)
        if (values[f].is_null()) {
          fields_.add(keys[i], "without " + rule_.fields[f]);
          break;
        }
    }
    return {};
  }
  template <class MakeCommand>
  Result<std::vector<redis::Reply>> ask(const std::vector<std::string>& keys, MakeCommand make) {
    Commands commands;
    commands.reserve(keys.size());
    for (const std::string& key : keys) commands.push_back(make(key));
    if (commands.empty()) return std::vector<redis::Reply>{};
    return many(commands);
  }

  std::vector<Violation> judge() const {
    std::vector<Violation> violations;
    const auto count = [&](const std::string& message) { violations.push_back({rule_.id, message, 0, {}}); };
    if (rule_.keys) {
      const double allowed = static_cast<double>(*rule_.keys) * rule_.tolerance_percent / 100;
      if (std::abs(static_cast<double>(seen_) - static_cast<double>(*rule_.keys)) > allowed)
        count(fmt::format("{} keys match \"{}\", expected {} give or take {}%", seen_, rule_.pattern, *rule_.keys,
                          rule_.tolerance_percent));
    }
    if (rule_.at_least && seen_ < *rule_.at_least)
      count(fmt::format("{} keys match \"{}\", expected at least {}", seen_, rule_.pattern, *rule_.at_least));
    if (rule_.at_most && seen_ > *rule_.at_most)
      count(fmt::format("{} keys match \"{}\", expected at most {}", seen_, rule_.pattern, *rule_.at_most));
    const auto keys = [&](const Wrong& wrong, const std::string& what) {
      if (wrong.keys == 0) return;
      violations.push_back({rule_.id,
                            fmt::format("{} of {} keys of \"{}\" {}, such as {}", wrong.keys, seen_, rule_.pattern,
                                        what, wrong.examples.front()),
                            wrong.keys, wrong.examples});
    };
    keys(types_, fmt::format("are no {}", rule_.fields.empty() ? rule_.type : "hash"));
    keys(expiry_, rule_.expiry == Expiry::kRequired ? "lack an expiry" : "must not expire");
    keys(fields_, "lack a field");
    return violations;
  }

  redis::Client& client_;
  const KeyspaceRule& rule_;
  Clock& clock_;
  MonoTime deadline_;
  KeyspaceLimits limits_;
  std::uint64_t seen_ = 0;
  Wrong types_, expiry_, fields_;
};

}  // namespace

Result<std::vector<Violation>> check_keyspace(redis::Client& client, const std::vector<KeyspaceRule>& rules,
                                              Clock& clock, MonoTime deadline, KeyspaceLimits limits) {
  std::vector<Violation> violations;
  for (const KeyspaceRule& rule : rules) {
    ASSIGN_OR_RETURN(auto found, RuleScan(client, rule, clock, deadline, limits).run());
    violations.insert(violations.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  return violations;
}

}  // namespace anclora::respond

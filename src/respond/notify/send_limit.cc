#include "respond/notify/send_limit.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/write_file.h"

namespace anclora::respond {
namespace {

constexpr std::uint64_t kLargestFile = 4 * kMiB;
constexpr std::size_t kMostSent = 100;  // a line; the oldest go first
constexpr int kLockAttempts = 100;      // another process holds it for moments only

std::string key_of(const Message& message) {
  return to_hex(hash256(fmt::format("{}\n{}\n{}\n{}\n{}", message.dedup_key, message.call, to_string(message.kind),
                                    message.subject, message.text)));
}

// Empty where it calls nobody: a report about an incident before its first alert does not make that the second.
std::string about(const Message& message) {
  const bool calls = message.kind == MessageKind::kAlert && !message.dedup_key.empty();
  return calls ? to_hex(hash256(message.dedup_key)) : std::string();
}

std::unique_ptr<FileLock> lock_file(FileSystem& files, Clock& clock, const std::string& path) {
  for (int attempt = 0; attempt < kLockAttempts; ++attempt) {
    auto lock = files.lock(path);
    if (lock) return std::move(*lock);
    if (lock.error().kind() != ErrorKind::kFailedPrecondition) break;
    clock.sleep_for(std::chrono::milliseconds(10));
  }
  return nullptr;
}

}  // namespace

SendLimit::SendLimit(FileSystem& files, Clock& clock, std::string file, SendLimitRules rules)
    : files_(files), clock_(clock), file_(std::move(file)), rules_(rules) {}

std::string SendLimit::encode(const Lines& lines) {
  nlohmann::ordered_json json = {{"v", 1}, {"lines", nlohmann::ordered_json::array()}};
  for (const auto& [name, line] : lines) {
    nlohmann::ordered_json sent = nlohmann::ordered_json::array();
    for (const Sent& each : line.sent)
      sent.push_back({{"at", format_rfc3339(each.at)}, {"key", each.key}, {"about", each.about}});
    json["lines"].push_back(
        {{"contact", name.first}, {"channel", name.second}, {"held_back", line.held_back}, {"sent", std::move(sent)}});
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<SendLimit::Lines> SendLimit::decode(ByteView text) {
  Lines lines;
  try {
    const auto json = nlohmann::json::parse(text);
    if (json.at("v").get<int>() != 1) return Error(ErrorKind::kUnsupported, "written by another version");
    for (const auto& each : json.at("lines")) {
      Line& line = lines[{each.at("contact").get<std::string>(), each.at("channel").get<std::uint32_t>()}];
      line.held_back = each.at("held_back").get<std::uint32_t>();
      for (const auto& one : each.at("sent")) {
        ASSIGN_OR_RETURN(const WallTime at, parse_rfc3339(one.at("at").get<std::string>()));
        line.sent.push_back({at, one.at("key").get<std::string>(), one.at("about").get<std::string>()});
      }
    }
  } catch (const nlohmann::json::exception& error) {
    return Error(ErrorKind::kDataLoss, error.what());
  }
  return lines;
}

void SendLimit::forget_old(Lines& lines) const {
  const WallTime now = clock_.wall_now();
  const Duration remembered = std::max(rules_.window, rules_.same_within);
  for (auto& [name, line] : lines) {
    // Also what a clock that was set back left in the future.
    std::erase_if(line.sent, [&](const Sent& sent) { return now - sent.at >= remembered || sent.at > now; });
    if (line.sent.size() > kMostSent)
      line.sent.erase(line.sent.begin(), line.sent.end() - static_cast<std::ptrdiff_t>(kMostSent));
  }
  std::erase_if(lines, [](const auto& each) { return each.second.sent.empty() && each.second.held_back == 0; });
}

template <class Change>
void SendLimit::with_lines(const Change& change) {
  const std::lock_guard guard(mutex_);
  if (file_.empty()) {
    forget_old(lines_);
    return change(lines_);
  }
  const bool has_folder = files_.create_directories(parent_folder(file_)).has_value();
  const auto lock = has_folder ? lock_file(files_, clock_, file_ + ".lock") : nullptr;
  if (lock != nullptr)
    if (const auto text = files_.read_all(file_, kLargestFile))
      if (auto known = decode(*text)) lines_ = std::move(*known);
  forget_old(lines_);
  change(lines_);
  // What cannot be kept there still holds in this object.
  if (lock != nullptr) static_cast<void>(replace_file(files_, file_, encode(lines_)));
}

SendLimit::Answer SendLimit::judge(Line& line, const Message& message) const {
  const WallTime now = clock_.wall_now();
  const std::string key = key_of(message);
  const std::string topic = about(message);
  const bool first = !topic.empty() && std::ranges::find(line.sent, topic, &Sent::about) == line.sent.end();
  const bool same = std::ranges::any_of(
      line.sent, [&](const Sent& sent) { return sent.key == key && now - sent.at < rules_.same_within; });
  const auto recent = std::ranges::count_if(line.sent, [&](const Sent& sent) { return now - sent.at < rules_.window; });
  if (!first && (same || recent >= static_cast<std::ptrdiff_t>(rules_.most_in_window))) {
    ++line.held_back;
    return {false, same ? fmt::format("the same message went out less than {} ago", format_duration(rules_.same_within))
                        : fmt::format("{} messages went out within {}", recent, format_duration(rules_.window))};
  }
  line.sent.push_back({now, key, topic});
  return {true, {}, std::exchange(line.held_back, 0)};
}

SendLimit::Answer SendLimit::admit(const SendLine& line, const Message& message) {
  Answer answer;
  with_lines([&](Lines& lines) { answer = judge(lines[line], message); });
  return answer;
}

void SendLimit::give_back(const SendLine& line, const Message& message, std::uint32_t held_back) {
  with_lines([&](Lines& lines) {
    Line& known = lines[line];
    const auto found = std::ranges::find(known.sent, key_of(message), &Sent::key);
    if (found != known.sent.end()) known.sent.erase(found);
    known.held_back += held_back;
  });
}

}  // namespace anclora::respond

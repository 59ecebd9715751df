#include "respond/notify/notifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace anclora::respond {
namespace {

constexpr std::size_t kMostThreads = 16;
constexpr Duration kSlice = std::chrono::milliseconds(50);

bool is_named(const plan::Contact& contact, const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    return name == contact.id || std::ranges::find(contact.roles, name) != contact.roles.end();
  });
}

std::string key_of(const Message& message) {
  return to_hex(hash256(
      fmt::format("{}\n{}\n{}\n{}", message.dedup_key, to_string(message.kind), message.subject, message.text)));
}

Notifier::MakeChannel made_by(ReferenceLookup lookup, const ChannelMeans& means) {
  return [lookup = std::move(lookup), means](const plan::Channel& channel) {
    return make_channel(channel, lookup, means);
  };
}

}  // namespace

struct Notifier::Job {
  const plan::Contact* contact = nullptr;
  std::uint32_t index = 0;
  Delivery delivery = {};
  std::string key = {};         // as it was counted
  std::uint32_t held_back = 0;  // what this message says was held back
};

Notifier::Notifier(const plan::Plan& plan, MakeChannel make, const ChannelMeans& means, NotifierOptions options)
    : contacts_(plan.contacts), make_(std::move(make)), means_(means), options_(options) {}

Notifier::Notifier(const plan::Plan& plan, ReferenceLookup lookup, const ChannelMeans& means, NotifierOptions options)
    : Notifier(plan, made_by(std::move(lookup), means), means, options) {}

std::vector<Delivery> Notifier::tell(const Call& call, const Message& message) {
  std::vector<Job> jobs;
  for (const plan::Contact& contact : contacts_) {
    if (!is_named(contact, call.contacts)) continue;
    for (std::uint32_t i = 0; i < contact.channels.size(); ++i)
      if (!call.skip || !call.skip(contact, i)) jobs.push_back({.contact = &contact, .index = i});
  }
  const Duration bound = call.bound > Duration::zero() ? std::min(call.bound, options_.bound) : options_.bound;
  const MonoTime deadline = means_.clock.mono_now() + bound;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < jobs.size(); i = next++) run(jobs[i], call, message, deadline);
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(jobs.size(), kMostThreads); ++i) threads.emplace_back(work);
    work();
  }
  std::vector<Delivery> deliveries;
  for (Job& job : jobs) deliveries.push_back(std::move(job.delivery));
  return deliveries;
}

void Notifier::run(Job& job, const Call& call, const Message& message, MonoTime deadline) {
  Message counted = message;
  if (admit(job, counted)) {
    job.delivery = attempt_all(job, call, counted, deadline);
    if (job.delivery.state != DeliveryState::kSent) give_back(job);
  }
  job.delivery.contact = job.contact->id;
  job.delivery.channel = job.contact->channels[job.index].kind;
  job.delivery.index = job.index;
  job.delivery.at = means_.clock.wall_now();
  if (!call.told) return;
  const std::lock_guard lock(told_mutex_);
  call.told(job.delivery);
}

// Whether the limit lets it through; then it is counted, and what was held back before is said in it.
bool Notifier::admit(Job& job, Message& message) {
  const std::lock_guard lock(mutex_);
  Line& line = lines_[{job.contact->id, job.index}];
  const MonoTime now = means_.clock.mono_now();
  const Duration remembered = std::max(options_.window, options_.same_within);
  while (!line.sent.empty() && now - line.sent.front().at >= remembered) line.sent.pop_front();
  const std::string key = key_of(message);
  const bool same = std::ranges::any_of(
      line.sent, [&](const Sent& sent) { return sent.key == key && now - sent.at < options_.same_within; });
  const auto recent =
      std::ranges::count_if(line.sent, [&](const Sent& sent) { return now - sent.at < options_.window; });
  if (same || recent >= static_cast<std::ptrdiff_t>(options_.most_in_window)) {
    ++line.held_back;
    job.delivery.state = DeliveryState::kLimited;
    job.delivery.detail =
        same ? fmt::format("the same message went out less than {} ago", format_duration(options_.same_within))
             : fmt::format("{} messages went out within {}", recent, format_duration(options_.window));
    return false;
  }
  line.sent.push_back({now, key});
  job.key = key;
  if (line.held_back > 0)
    message.text += fmt::format("\n({} earlier messages to you were held back by the rate limit)", line.held_back);
  job.held_back = std::exchange(line.held_back, 0);
  return true;
}

// What was not taken over does not count, and what was held back is still to be said.
void Notifier::give_back(const Job& job) {
  const std::lock_guard lock(mutex_);
  Line& line = lines_[{job.contact->id, job.index}];
  const auto found = std::ranges::find(line.sent, job.key, &Sent::key);
  if (found != line.sent.end()) line.sent.erase(found);
  line.held_back += job.held_back;
}

Delivery Notifier::attempt_all(const Job& job, const Call& call, const Message& message, MonoTime deadline) {
  Delivery delivery;
  const auto channel = make_(job.contact->channels[job.index]);
  if (!channel) {
    const bool by_hand = channel.error().kind() == ErrorKind::kUnsupported;
    delivery.state = by_hand ? DeliveryState::kSkipped : DeliveryState::kFailed;
    delivery.detail = channel.error().message();
    return delivery;
  }
  const auto over = [&] { return means_.clock.mono_now() >= deadline || (call.cancelled && call.cancelled()); };
  Duration back_off = options_.first_back_off;
  while (true) {
    const MonoTime until = std::min(deadline, means_.clock.mono_now() + options_.attempt_timeout);
    const Attempt attempt = (*channel)->deliver(message, until);
    ++delivery.attempts;
    delivery.detail = attempt.detail;
    if (attempt.accepted) {
      delivery.state = DeliveryState::kSent;
      return delivery;
    }
    if (!attempt.retry || delivery.attempts >= options_.most_attempts || over()) return delivery;
    const Duration jitter(
        static_cast<Duration::rep>(jitter_below(static_cast<std::uint64_t>(back_off.count()) / 4 + 1)));
    const Duration wait = std::max(back_off + jitter, attempt.retry_after);
    if (means_.clock.mono_now() + wait >= deadline) {
      delivery.detail += fmt::format("; the next attempt would be {} later, which is too late", format_duration(wait));
      return delivery;
    }
    const MonoTime again = means_.clock.mono_now() + wait;
    while (means_.clock.mono_now() < again && !over())
      means_.clock.sleep_for(std::min<Duration>(kSlice, again - means_.clock.mono_now()));
    back_off = std::min(back_off * 2, options_.longest_back_off);
  }
}

// Random objects are for one thread.
std::uint64_t Notifier::jitter_below(std::uint64_t bound) {
  const std::lock_guard lock(mutex_);
  return means_.random.below(bound);
}

}  // namespace anclora::respond

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
};

Notifier::Notifier(const plan::Plan& plan, MakeChannel make, const ChannelMeans& means, NotifierOptions options)
    : contacts_(plan.contacts),
      make_(std::move(make)),
      means_(means),
      options_(options),
      limit_(means_.files, means_.clock, means_.limit_file, options.limit) {}

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
  deliveries.reserve(jobs.size());
  for (Job& job : jobs) deliveries.push_back(std::move(job.delivery));
  return deliveries;
}

void Notifier::run(Job& job, const Call& call, const Message& message, MonoTime deadline) {
  const SendLine line{job.contact->id, job.index};
  const SendLimit::Answer limit = limit_.admit(line, message);
  if (limit.admitted) {
    Message complete = message;
    if (limit.held_back > 0)
      complete.text += fmt::format("\n({} earlier messages to you were held back by the rate limit)", limit.held_back);
    job.delivery = attempt_all(job, call, complete, deadline);
    if (job.delivery.state != DeliveryState::kSent) limit_.give_back(line, message, limit.held_back);
  } else {
    job.delivery.state = DeliveryState::kLimited;
    job.delivery.detail = limit.why;
  }
  job.delivery.contact = job.contact->id;
  job.delivery.channel = job.contact->channels[job.index].kind;
  job.delivery.index = job.index;
  job.delivery.at = means_.clock.wall_now();
  if (!call.told) return;
  const std::lock_guard lock(told_mutex_);
  call.told(job.delivery);
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
  const std::lock_guard lock(random_mutex_);
  return means_.random.below(bound);
}

}  // namespace anclora::respond

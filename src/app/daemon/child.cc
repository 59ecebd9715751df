#include "app/daemon/child.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

namespace anclora::app {
namespace {

constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kLongestPause = std::chrono::seconds(60);
// One that ran for so long has come to work: the pauses begin anew.
constexpr Duration kRanWell = std::chrono::seconds(60);
constexpr int kCannotStart = 127;

}  // namespace

bool ends_for_good(int exit_status) { return exit_status == 2 || exit_status == 13; }

std::optional<int> Child::ended(int status) {
  process_.reset();
  last_exit_ = status;
  const MonoTime now = clock_.mono_now();
  if (now - began_ >= kRanWell) pause_ = Duration::zero();
  pause_ = std::clamp<Duration>(pause_ * 2, kFirstPause, kLongestPause);
  next_start_.reset();
  if (spec_.keep && !asked_to_end_ && !ends_for_good(status)) next_start_ = now + pause_;
  return status;
}

std::optional<int> Child::tick() {
  if (process_) {
    const auto status = process_->wait(Duration::zero());
    return status ? ended(*status) : std::nullopt;
  }
  if (!next_start_ || asked_to_end_ || clock_.mono_now() < *next_start_) return std::nullopt;
  restarts_ += started_ ? 1 : 0;
  began_ = clock_.mono_now();
  started_ = clock_.wall_now();
  auto process = start_(spec_);
  problem_ = process ? std::string() : process.error().to_string();
  if (!process) return ended(kCannotStart);
  process_ = std::move(*process);
  return std::nullopt;
}

void Child::ask_to_end() {
  asked_to_end_ = true;
  next_start_.reset();
  if (process_) process_->signal(SIGTERM);
}

void Child::wait_or_kill(Duration timeout) {
  if (!process_) return;
  const auto status = process_->wait(timeout);
  ended(status ? *status : 128 + SIGKILL);
}

}  // namespace anclora::app

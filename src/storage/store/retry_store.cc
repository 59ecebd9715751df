#include "storage/store/retry_store.h"

#include <fmt/format.h>

#include <algorithm>

namespace anclora::storage {
namespace {

constexpr Duration kStopCheckInterval = std::chrono::milliseconds(100);

}  // namespace

RetryStore::RetryStore(std::unique_ptr<Store> inner, Clock& clock, Random& random, RetryOptions options)
    : owned_(std::move(inner)), inner_(*owned_), clock_(clock), random_(random), options_(std::move(options)) {}

RetryStore::RetryStore(Store& inner, Clock& clock, Random& random, RetryOptions options)
    : inner_(inner), clock_(clock), random_(random), options_(std::move(options)) {}

Status RetryStore::back_off(unsigned attempt, MonoTime began, const Error& last) {
  Duration ceiling = options_.first_delay;
  for (unsigned i = 1; i < attempt && ceiling < options_.longest_delay; ++i) ceiling *= 2;
  ceiling = std::min(ceiling, options_.longest_delay);
  Duration delay;
  {
    const std::lock_guard lock(random_mutex_);
    delay = Duration(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(ceiling.count()) + 1)));
  }
  const MonoTime wake = clock_.mono_now() + delay;
  if (wake > began + options_.deadline) {
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.mono_now() - began);
    return last.with_context(fmt::format("gave up after {} attempts in {} ms", attempt, waited.count()));
  }
  do {
    if (options_.stop.stop_requested()) {
      return Error(ErrorKind::kCancelled, fmt::format("stopped while retrying: {}", last.message()));
    }
    clock_.sleep_for(std::clamp(wake - clock_.mono_now(), Duration::zero(), kStopCheckInterval));
  } while (clock_.mono_now() < wake);
  return {};
}

template <class Call>
auto RetryStore::retry(Call call) -> decltype(call()) {
  const MonoTime began = clock_.mono_now();
  bool short_read_retried = false;
  for (unsigned attempt = 1;; ++attempt) {
    auto answer = call();
    if (answer.has_value()) return answer;
    const bool short_read = answer.error().kind() == ErrorKind::kDataLoss && !short_read_retried;
    if (retry_class(answer.error().kind()) != RetryClass::kRetry && !short_read) return answer;
    short_read_retried = short_read_retried || short_read;
    if (const Status waited = back_off(attempt, began, answer.error()); !waited.has_value()) return waited.error();
  }
}

Result<Bytes> RetryStore::get(std::string_view name, std::uint64_t limit_bytes) {
  return retry([&] { return inner_.get(name, limit_bytes); });
}

Result<Bytes> RetryStore::get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) {
  return retry([&] { return inner_.get_range(name, offset, size); });
}

Result<ObjectInfo> RetryStore::head(std::string_view name) {
  return retry([&] { return inner_.head(name); });
}

Result<Listing> RetryStore::list(std::string_view prefix, bool delimited) {
  return retry([&] { return inner_.list(prefix, delimited); });
}

Result<WallTime> RetryStore::now() {
  return retry([&] { return inner_.now(); });
}

Result<PutOutcome> RetryStore::put_if_absent(std::string_view name, const Body& body) {
  return retry([&] { return inner_.put_if_absent(name, body); });
}

Status RetryStore::remove(std::string_view name) {
  return retry([&] { return inner_.remove(name); });
}

Result<std::uint64_t> RetryStore::sweep(Duration older_than) {
  return retry([&] { return inner_.sweep(older_than); });
}

}  // namespace anclora::storage

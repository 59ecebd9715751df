// A Store that tries again: full-jitter exponential backoff within one deadline for each call.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/random.h"
#include "storage/store/store.h"

namespace anclora::storage {

struct RetryOptions {
  Duration deadline = std::chrono::seconds(60);           // no attempt begins later than this after the call
  Duration first_delay = std::chrono::milliseconds(100);  // attempt n waits random(0, first_delay * 2^n) ...
  Duration longest_delay = std::chrono::seconds(5);       // ... but no longer than random(0, longest_delay)
  std::stop_token stop;                                   // requested: the next wait ends with kCancelled
};

// Any thread. Retries kUnavailable and kDeadlineExceeded; a read that came back short (kDataLoss) once, since a
// truncated answer heals and a short object does not. A put whose outcome was unknown is put again, and a kExists that
// it then meets is passed on as kExists: the caller reads the object back to learn whose it is.
// A server's Retry-After is honoured by the store inside (S3Store), which holds every request back until then.
class RetryStore final : public Store {
 public:
  using AppendStore::put_if_absent;
  RetryStore(std::unique_ptr<Store> inner, Clock& clock, Random& random, RetryOptions options = {});
  // `inner` outlives this.
  RetryStore(Store& inner, Clock& clock, Random& random, RetryOptions options = {});

  Result<Bytes> get(std::string_view name, std::uint64_t limit_bytes) override;
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override;
  Result<ObjectInfo> head(std::string_view name) override;
  Result<Listing> list(std::string_view prefix, bool delimited) override;
  Result<WallTime> now() override;
  std::string describe() const override { return inner_.describe(); }
  Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) override;
  Status remove(std::string_view name) override;
  Result<std::uint64_t> sweep(Duration older_than) override;

 private:
  template <class Call>
  auto retry(Call call) -> decltype(call());
  // Waits before attempt `attempt` (from 1); an error when there is no time for it.
  Status back_off(unsigned attempt, MonoTime began, const Error& last);

  std::unique_ptr<Store> owned_;
  Store& inner_;
  Clock& clock_;
  std::mutex random_mutex_;
  Random& random_;
  RetryOptions options_;
};

}  // namespace anclora::storage

// A Store that fails on schedule, for tests: every answer a real store, network or power cut can give.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/store/store.h"

namespace anclora::storage {

enum class StoreOperation : std::uint8_t { kGet, kGetRange, kHead, kList, kNow, kPut, kRemove };
std::string_view to_string(StoreOperation operation);

struct StoreRequest {
  std::uint64_t number = 0;  // from 1, over all operations
  StoreOperation operation = StoreOperation::kGet;
  std::string name;  // or prefix; empty for now()
};

struct StoreFault {
  enum class Kind : std::uint8_t {
    kErrorBefore,   // `error`, nothing done
    kErrorAfter,    // done, then `error`: the reply was lost
    kHangBefore,    // `hang` passes on the clock, then kDeadlineExceeded, nothing done
    kHangAfter,     // done, `hang` passes, then kDeadlineExceeded
    kTruncatedGet,  // get: the first half of the bytes; get_range: kDataLoss. Other operations: no fault
    kStaleList,     // list: without the newest `stale` objects put through this store. Other operations: no fault
    kCrashBefore,   // nothing done; this and all later requests fail with kCancelled until revive()
    kCrashAfter,    // done; the same
  };
  Kind kind = Kind::kErrorBefore;
  ErrorKind error = ErrorKind::kUnavailable;
  Duration hang = std::chrono::seconds(30);
  std::size_t stale = 1;
};

// Any thread. `inner` and `clock` outlive it.
class FaultyStore final : public Store {
 public:
  using AppendStore::put_if_absent;
  using Decision = std::function<std::optional<StoreFault>(const StoreRequest&)>;

  FaultyStore(Store& inner, Clock& clock) : inner_(inner), clock_(clock) {}

  // The fault of request `number` (from 1).
  void schedule(std::uint64_t number, StoreFault fault);
  // Asked for every request that has none scheduled; called under this store's lock.
  void decide(Decision decision);
  void revive();
  bool crashed() const;
  std::uint64_t request_count() const;
  std::vector<StoreRequest> requests() const;

  Result<Bytes> get(std::string_view name, std::uint64_t limit_bytes) override;
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override;
  Result<ObjectInfo> head(std::string_view name) override;
  Result<Listing> list(std::string_view prefix, bool delimited) override;
  Result<WallTime> now() override;
  std::string describe() const override { return inner_.describe(); }
  Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) override;
  Status remove(std::string_view name) override;
  Result<std::uint64_t> sweep(Duration older_than) override { return inner_.sweep(older_than); }

 private:
  template <class Call>
  auto with_fault(StoreOperation operation, std::string_view name, Call call) -> decltype(call(StoreFault{}, false));
  std::optional<StoreFault> begin(StoreOperation operation, std::string_view name);
  void hide_newest(Listing& listing, std::size_t count) const;

  Store& inner_;
  Clock& clock_;
  mutable std::mutex mutex_;
  bool crashed_ = false;
  std::map<std::uint64_t, StoreFault> schedule_;
  Decision decision_;
  std::vector<StoreRequest> requests_;
  std::vector<std::string> created_;  // in the order of creation
};

}  // namespace anclora::storage

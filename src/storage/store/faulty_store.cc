#include "storage/store/faulty_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace anclora::storage {
namespace {

using Kind = StoreFault::Kind;

Error crash_error() { return Error(ErrorKind::kCancelled, "crashed by the test's schedule"); }

bool fails_before(Kind kind) {
  return kind == Kind::kErrorBefore || kind == Kind::kHangBefore || kind == Kind::kCrashBefore;
}

}  // namespace

std::string_view to_string(StoreOperation operation) {
  static constexpr std::array<std::string_view, 7> kNames = {"get", "get_range", "head",  "list",
                                                             "now", "put",       "remove"};
  return kNames.at(static_cast<std::size_t>(operation));
}

void FaultyStore::schedule(std::uint64_t number, StoreFault fault) {
  const std::lock_guard lock(mutex_);
  schedule_[number] = fault;
}

void FaultyStore::decide(Decision decision) {
  const std::lock_guard lock(mutex_);
  decision_ = std::move(decision);
}

void FaultyStore::revive() {
  const std::lock_guard lock(mutex_);
  crashed_ = false;
}

bool FaultyStore::crashed() const {
  const std::lock_guard lock(mutex_);
  return crashed_;
}

std::uint64_t FaultyStore::request_count() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

std::vector<StoreRequest> FaultyStore::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::optional<StoreFault> FaultyStore::begin(StoreOperation operation, std::string_view name) {
  const std::lock_guard lock(mutex_);
  requests_.push_back({requests_.size() + 1, operation, std::string(name)});
  if (crashed_) return StoreFault{.kind = Kind::kCrashBefore};
  std::optional<StoreFault> fault;
  if (const auto at = schedule_.find(requests_.size()); at != schedule_.end()) {
    fault = at->second;
  } else if (decision_) {
    fault = decision_(requests_.back());
  }
  if (fault && (fault->kind == Kind::kCrashBefore || fault->kind == Kind::kCrashAfter)) crashed_ = true;
  return fault;
}

// `call(fault, is_faulty)` does the operation, and what only this operation does about the fault.
template <class Call>
auto FaultyStore::with_fault(StoreOperation operation, std::string_view name, Call call)
    -> decltype(call(StoreFault{}, false)) {
  const std::optional<StoreFault> fault = begin(operation, name);
  if (!fault) return call(StoreFault{}, false);
  if (!fails_before(fault->kind)) {
    auto answer = call(*fault, true);
    if (fault->kind == Kind::kTruncatedGet || fault->kind == Kind::kStaleList) return answer;
  }
  const std::string what = fmt::format("{} {} failed by the test's schedule", to_string(operation), name);
  switch (fault->kind) {
    case Kind::kHangBefore:
    case Kind::kHangAfter:
      clock_.sleep_for(fault->hang);
      return Error(ErrorKind::kDeadlineExceeded, what);
    case Kind::kCrashBefore:
    case Kind::kCrashAfter:
      return crash_error();
    default:
      return Error(fault->error, what);
  }
}

Result<Bytes> FaultyStore::get(std::string_view name, std::uint64_t limit_bytes) {
  return with_fault(StoreOperation::kGet, name, [&](const StoreFault& fault, bool faulty) -> Result<Bytes> {
    auto answer = inner_.get(name, limit_bytes);
    if (faulty && fault.kind == Kind::kTruncatedGet && answer.has_value()) answer->resize(answer->size() / 2);
    return answer;
  });
}

Result<Bytes> FaultyStore::get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) {
  return with_fault(StoreOperation::kGetRange, name, [&](const StoreFault& fault, bool faulty) -> Result<Bytes> {
    auto answer = inner_.get_range(name, offset, size);
    if (faulty && fault.kind == Kind::kTruncatedGet && answer.has_value()) {
      return Error(ErrorKind::kDataLoss, fmt::format("{}: {} of {} bytes came", name, size / 2, size));
    }
    return answer;
  });
}

Result<ObjectInfo> FaultyStore::head(std::string_view name) {
  return with_fault(StoreOperation::kHead, name, [&](const StoreFault&, bool) { return inner_.head(name); });
}

void FaultyStore::hide_newest(Listing& listing, std::size_t count) const {
  const std::lock_guard lock(mutex_);
  const std::size_t hidden = std::min(count, created_.size());
  std::erase_if(listing.objects, [&](const ObjectInfo& object) {
    return std::find(created_.end() - static_cast<std::ptrdiff_t>(hidden), created_.end(), object.name) !=
           created_.end();
  });
}

Result<Listing> FaultyStore::list(std::string_view prefix, bool delimited) {
  return with_fault(StoreOperation::kList, prefix, [&](const StoreFault& fault, bool faulty) {
    auto answer = inner_.list(prefix, delimited);
    if (faulty && fault.kind == Kind::kStaleList && answer.has_value()) hide_newest(*answer, fault.stale);
    return answer;
  });
}

Result<WallTime> FaultyStore::now() {
  return with_fault(StoreOperation::kNow, "", [&](const StoreFault&, bool) { return inner_.now(); });
}

Result<PutOutcome> FaultyStore::put_if_absent(std::string_view name, const Body& body) {
  return with_fault(StoreOperation::kPut, name, [&](const StoreFault&, bool) {
    auto answer = inner_.put_if_absent(name, body);
    if (answer.has_value() && *answer == PutOutcome::kCreated) {
      const std::lock_guard lock(mutex_);
      created_.emplace_back(name);
    }
    return answer;
  });
}

Status FaultyStore::remove(std::string_view name) {
  return with_fault(StoreOperation::kRemove, name, [&](const StoreFault&, bool) { return inner_.remove(name); });
}

}  // namespace anclora::storage

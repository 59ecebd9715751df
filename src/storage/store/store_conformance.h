// The stores that the conformance suite runs over, each made fresh for a test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/store/store.h"

namespace anclora::storage {

class ConformanceSubject {
 public:
  virtual ~ConformanceSubject() = default;
  virtual Store& store() = 0;
  // Another client of the same store, as a second process would have.
  virtual std::unique_ptr<Store> another_client() = 0;
  // How far the store's clock may be from this machine's.
  virtual Duration clock_tolerance() const { return std::chrono::seconds(5); }
};

struct ConformanceCase {
  std::string name;
  std::function<std::unique_ptr<ConformanceSubject>()> make;
};

std::vector<ConformanceCase> conformance_cases();

}  // namespace anclora::storage

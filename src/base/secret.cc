#include "base/secret.h"

#include <sodium.h>

#include <utility>

namespace anclora {
namespace {

// The whole capacity: a short value may have been moved into a buffer that held a longer one.
void wipe(std::string& value) {
  value.resize(value.capacity());
  sodium_memzero(value.data(), value.size());
  value.clear();
}

}  // namespace

Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }

Secret& Secret::operator=(Secret other) noexcept {
  value_.swap(other.value_);
  return *this;
}

Secret::~Secret() { wipe(value_); }

bool Secret::equals(const Secret& other) const {
  return value_.size() == other.value_.size() && sodium_memcmp(value_.data(), other.value_.data(), value_.size()) == 0;
}

}  // namespace anclora

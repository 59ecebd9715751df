// A value that must not be seen: no stream operator, no formatter, wiped when freed.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace anclora {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret other) noexcept;
  ~Secret();

  // The only way to the value; the name is there to be searched for in a review.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  // In constant time.
  bool equals(const Secret& other) const;

 private:
  std::string value_;
};

}  // namespace anclora

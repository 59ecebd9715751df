#include "base/result.h"

#include <array>

namespace anclora {
namespace {

struct KindFacts {
  std::string_view name;
  int exit_code;
  RetryClass retry;
};

// Exit codes are documented in docs/exit-codes.md and never change meaning.
constexpr std::array<KindFacts, 15> kKinds = {{
    {"invalid argument", 2, RetryClass::kNever},
    {"not found", 3, RetryClass::kFixStateFirst},
    {"already exists", 4, RetryClass::kFixStateFirst},
    {"failed precondition", 5, RetryClass::kFixStateFirst},
    {"permission denied", 6, RetryClass::kFixStateFirst},
    {"unauthenticated", 7, RetryClass::kFixStateFirst},
    {"unavailable", 8, RetryClass::kRetry},
    {"deadline exceeded", 9, RetryClass::kRetry},
    {"resource exhausted", 10, RetryClass::kFixStateFirst},
    {"fenced", 11, RetryClass::kRestartOperation},
    {"data loss", 12, RetryClass::kNever},
    {"unsupported", 13, RetryClass::kNever},
    {"i/o error", 14, RetryClass::kFixStateFirst},
    {"cancelled", 15, RetryClass::kRestartOperation},
    {"internal error", 16, RetryClass::kNever},
}};

const KindFacts& facts(ErrorKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }

}  // namespace

std::string_view to_string(ErrorKind kind) { return facts(kind).name; }
int exit_code(ErrorKind kind) { return facts(kind).exit_code; }
RetryClass retry_class(ErrorKind kind) { return facts(kind).retry; }

Error Error::with_context(std::string_view context) const {
  return Error(kind_, std::string(context) + ": " + message_, hint_);
}

Error Error::with_hint(std::string hint) const {
  return hint_.empty() ? Error(kind_, message_, std::move(hint)) : *this;
}

std::string Error::to_string() const { return hint_.empty() ? message_ : message_ + "\nhint: " + hint_; }

}  // namespace anclora

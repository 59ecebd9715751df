// Error, Result and Status: how every fallible call in Anclora DR answers. No exceptions cross a module border.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace anclora {

// What went wrong, in classes that tell a caller what to do next. Each has a process exit code (see exit_code).
enum class ErrorKind : std::uint8_t {
  kInvalidArgument,     // the caller's words are wrong; never retry as is
  kNotFound,            // the named thing is not there
  kAlreadyExists,       // the name is taken
  kFailedPrecondition,  // the state must be mended first (non-empty target, wrong role, version too old, ...)
  kPermissionDenied,    // NOPERM, 403, EACCES
  kUnauthenticated,     // wrong password, passphrase or signature
  kUnavailable,         // passing: connection refused or cut, 500, 503, LOADING; retry the same call
  kDeadlineExceeded,    // no answer in time; the outcome may be unknown; retry
  kResourceExhausted,   // disk full, limit reached
  kFenced,              // another writer holds the log; step down
  kDataLoss,            // bytes that should decode do not: truncated, flipped, swapped, a gap
  kUnsupported,         // a feature or format that this version lacks
  kIo,                  // the operating system failed a call (EIO, ...)
  kCancelled,           // asked to stop
  kInternal,            // a bug of ours
};

enum class RetryClass : std::uint8_t { kRetry, kRestartOperation, kFixStateFirst, kNever };

// "invalid argument", "not found", ...: stable, used in --json.
std::string_view to_string(ErrorKind kind);
// The process exit code for this kind; 0 and 1 are never returned (1 is "findings", see docs/exit-codes.md).
int exit_code(ErrorKind kind);
RetryClass retry_class(ErrorKind kind);

// An error in the user's terms: what is wrong and where; `hint` is the next step, ideally a command to type.
class [[nodiscard]] Error {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {})
      : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }

  // The same error with "context: " before its message; kind and hint stay.
  Error with_context(std::string_view context) const;
  // The same error with this hint if it had none.
  Error with_hint(std::string hint) const;
  // "message" or "message\nhint: hint".
  std::string to_string() const;

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(Error error) : std::expected<T, Error>(std::unexpected(std::move(error))) {}  // NOLINT: implicit on purpose
};

using Status = Result<void>;

// For a place where a failure really may be dropped; say why beside it.
template <class T>
void ignore_result(const Result<T>&) {}

}  // namespace anclora

#define ANCLORA_CONCAT_INNER(a, b) a##b
#define ANCLORA_CONCAT(a, b) ANCLORA_CONCAT_INNER(a, b)

// RETURN_IF_ERROR(expr): leaves the function with the error of a Status.
#define RETURN_IF_ERROR(expr)                                      \
  do {                                                             \
    if (auto anclora_status = (expr); !anclora_status.has_value()) \
      return ::anclora::Error(std::move(anclora_status).error());  \
  } while (false)

// ASSIGN_OR_RETURN(auto x, expr): x = value of a Result, or leaves with its error.
#define ASSIGN_OR_RETURN(lhs, expr) ASSIGN_OR_RETURN_IMPL(ANCLORA_CONCAT(anclora_result_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr)                            \
  auto tmp = (expr);                                                     \
  if (!tmp.has_value()) return ::anclora::Error(std::move(tmp).error()); \
  lhs = std::move(tmp).value()

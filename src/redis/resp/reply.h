// RESP2 as a client speaks it: building commands, reading replies within limits. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace anclora::redis {

// A command as an array of bulk strings.
Bytes build_command(std::span<const std::string_view> words);
Bytes build_command(std::span<const std::string> words);
Bytes build_command(std::initializer_list<std::string_view> words);

struct Reply {
  enum class Type : std::uint8_t { kSimple, kError, kInteger, kBulk, kArray, kNull };
  Type type = Type::kNull;
  std::string text;  // of kSimple, kError (without the '-') and kBulk
  std::int64_t integer = 0;
  std::vector<Reply> elements;

  bool is_error() const { return type == Type::kError; }
  bool is_null() const { return type == Type::kNull; }
  // "NOAUTH" of "NOAUTH Authentication required."; empty unless an error.
  std::string_view error_code() const;
  // The texts of an array's elements, integers printed; empty for every other type.
  std::vector<std::string> texts() const;
  // The value beside `name` in an array of names and values (CONFIG GET, ACL GETUSER); null when there is none.
  const Reply* field(std::string_view name) const;
};

struct ReplyLimits {
  std::size_t bytes = 64 * kMiB;  // of one whole reply
  std::size_t depth = 8;
  std::size_t line_bytes = 64 * kKiB;
};

// Reads one reply after another from chunks of any size. One thread at a time.
class ReplyParser {
 public:
  explicit ReplyParser(ReplyLimits limits = {}) : limits_(limits) {}

  // Reads on until one reply is complete: how many bytes of `chunk` it took (all of them while none is complete; call
  // take() when ready()). kDataLoss when the bytes are no reply, kResourceExhausted when it is beyond the limits; the
  // parser is of no use after an error.
  Result<std::size_t> feed(ByteView chunk);
  bool ready() const { return ready_; }
  // Inside a reply: the peer owes more bytes.
  bool in_reply() const { return !ready_ && (bytes_ > 0); }
  // The complete reply; ready() is false after it.
  Reply take();

 private:
  struct Open {
    Reply reply;
    std::uint64_t left = 0;
  };
  Status take_line();
  Status begin_bulk(std::int64_t length);
  Status begin_array(std::int64_t length);
  void add(Reply reply);

  ReplyLimits limits_;
  std::vector<Open> open_;  // arrays around the present place
  std::string line_;
  bool in_bulk_ = false;
  std::uint64_t bulk_left_ = 0;  // its line end included
  std::string bulk_;
  std::size_t bytes_ = 0;
  std::uint64_t elements_ = 0;  // promised by the arrays so far
  bool ready_ = false;
  Reply done_;
};

}  // namespace anclora::redis

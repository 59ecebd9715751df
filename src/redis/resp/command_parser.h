// Reads a replication stream (commands as RESP arrays of bulk strings) without buffering it: commands of any size pass
// through in chunks of any size in constant memory. Pure: bytes in, events out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "redis/offset.h"

namespace anclora::redis {

// What must be known at an offset to go on from there: a source does not repeat SELECT after +CONTINUE.
struct StreamState {
  Offset offset;                     // after the last byte read
  Offset boundary;                   // after the last complete command outside MULTI: the only places to cut at
  std::uint32_t database = 0;        // in force
  std::optional<Offset> open_multi;  // first byte of the MULTI that is open
  friend bool operator==(const StreamState&, const StreamState&) = default;
};

struct Argument {
  std::string_view kept;     // its first kKeptArgumentBytes bytes
  std::uint64_t length = 0;  // of all of it
  bool truncated() const { return kept.size() < length; }
};

// One complete command. The views live until the visitor returns.
struct Command {
  Offset first;                         // of its first byte: its name in positions
  Offset last;                          // of its last byte: "after this command"
  std::string_view name;                // upper case, at most kMaxNameBytes of it
  std::span<const Argument> arguments;  // those after the name: the first kKeptArguments, and further ones as the
                                        // visitor asked for
  std::uint64_t argument_count = 0;     // all of those after the name
  std::uint32_t database = 0;           // in force while it runs
  std::optional<Offset> transaction;    // first byte of its MULTI; set on MULTI and EXEC themselves too
  bool at_boundary = false;             // after it the stream is outside MULTI
};

class CommandVisitor {
 public:
  virtual ~CommandVisitor() = default;
  virtual void on_command(const Command& command) = 0;
  // Asked once for each command of more than kKeptArguments arguments, `name` in upper case: keep those at 0, step,
  // 2 * step, ... too (the others between them have nothing kept), as far as kMaxKeptArguments and kMaxKeptBytes allow.
  // 0: the first kKeptArguments are enough.
  virtual unsigned further_argument_step(std::string_view name) {
    static_cast<void>(name);
    return 0;
  }
};

// One thread at a time.
class CommandParser {
 public:
  static constexpr std::size_t kKeptArguments = 16;
  static constexpr std::size_t kKeptArgumentBytes = 512;
  static constexpr std::size_t kMaxNameBytes = 64;
  // Of a command whose visitor asks for more; beyond either, the rest of its arguments is not there.
  static constexpr std::size_t kMaxKeptArguments = std::size_t{1} << 20;
  static constexpr std::size_t kMaxKeptBytes = std::size_t{64} << 20;

  // `start`: the state at a command boundary; the next byte fed is at start.offset + 1.
  explicit CommandParser(const StreamState& start = {});

  // Reads all of `chunk`. kDataLoss at bytes that are no command, naming their offset; every later call then answers
  // the same, and state() stays at that place. Empty lines are accepted: a source sends them to keep a link alive.
  Status feed(ByteView chunk, CommandVisitor& visitor);

  const StreamState& state() const { return state_; }
  bool in_command() const { return phase_ != Phase::kCommandStart; }
  // The first byte of the open command; only while in_command().
  Offset command_start() const { return command_first_; }
  // At least this many bytes of the open command are still to come; 0 outside one.
  std::uint64_t bytes_pending() const;

  // Everything needed to go on at this very byte, also inside a command. Not a format on disk: for the same build only.
  Bytes save() const;
  static Result<CommandParser> load(ByteView saved);

 private:
  enum class Phase : std::uint8_t {
    kCommandStart,
    kEmptyLineLf,
    kCountDigits,
    kCountLf,
    kLengthMarker,
    kLengthDigits,
    kLengthLf,
    kBody,
    kBodyCr,
    kBodyLf,
  };
  // How the length of an argument was written: mostly the next command has the same at its place.
  struct Spelling {
    std::uint64_t bytes = 1;  // "$<length>\r\n" under `mask`; at first nothing is like it
    std::uint64_t mask = 0;
    std::uint32_t length = 0;
    std::uint32_t size = 0;
  };
  struct Kept {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
    std::uint64_t length = 0;
  };

  // A whole well-formed command at `at`: its end. Null: something else, for step() to judge.
  const char* take_whole_command(const char* at, const char* end, CommandVisitor& visitor);
  // "$<length>\r\n" of argument `index`: the byte after it. Null: not all there, or malformed.
  const char* take_length(const char* at, const char* end, std::uint64_t index, std::uint64_t& length);
  // One field or a part of one; null after setting broken_.
  const char* step(const char* at, const char* end, CommandVisitor& visitor);
  const char* step_digits(const char* at, const char* end);
  const char* step_body(const char* at, const char* end);
  bool begin_command(char byte);
  bool end_count_line();
  bool end_length_line();
  void end_argument(CommandVisitor& visitor);
  bool keeps(std::uint64_t index) const;
  unsigned ask_step(std::uint64_t count, CommandVisitor& visitor);
  void let_go_of_further();
  void deliver(Command& command, CommandVisitor& visitor);
  void set_name(std::string_view name);
  bool fail(std::string_view what);

  StreamState state_;
  std::optional<std::string> broken_;  // what is wrong
  Phase phase_ = Phase::kCommandStart;
  Offset command_first_;
  std::uint64_t number_ = 0;  // the count or length being read
  std::uint32_t digits_ = 0;
  std::uint64_t arguments_left_ = 0;   // of the open command, its name included
  std::uint64_t arguments_total_ = 0;  // likewise
  std::uint64_t body_left_ = 0;
  std::string kept_bytes_;  // of an open command: its name, then arguments
  std::array<Kept, kKeptArguments + 1> kept_{};
  std::uint32_t kept_count_ = 0;
  unsigned step_ = 0;                // of the open command: which arguments are kept beyond kept_
  std::vector<Kept> further_kept_;   // likewise: those
  std::vector<Argument> arguments_;  // handed to the visitor when there are more than kKeptArguments
  std::array<char, kMaxNameBytes> name_{};
  std::array<char, kMaxNameBytes> name_as_sent_{};
  std::size_t name_size_ = 0;
  static constexpr std::size_t kSpellings = 32;
  std::array<Spelling, kSpellings> spellings_{};
  std::array<Argument, kKeptArguments> whole_{};  // of a whole command, while it is handed out
};

}  // namespace anclora::redis

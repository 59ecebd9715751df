// Hands the commands of log entries to whoever indexes them: with all keys, and the time of receipt.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/resp/command_parser.h"
#include "storage/journal/command_view.h"
#include "storage/journal/log_entry.h"

namespace anclora::storage {

// A visitor for a CommandParser that is fed entry by entry. One thread.
class CommandReader : public redis::CommandVisitor {
 public:
  // kKeys: arguments behind the last key may be left out of the view (not of their count).
  enum class Arguments : std::uint8_t { kAll, kKeys };
  explicit CommandReader(Arguments arguments = Arguments::kAll) : wanted_(arguments) {}

  // The marks of the entry that is fed next; they must live while it is.
  void enter(std::span<const TimeMark> marks);

  void on_command(const redis::Command& command) final;
  unsigned further_argument_step(std::string_view name) final;

 protected:
  // A command of the entry. It was received by the time of the first mark that is not before its end.
  virtual void on_view(CommandView& command) = 0;

 private:
  void look_up(std::string_view name);

  const Arguments wanted_;
  std::string newest_name_;    // mostly the next command's too
  bool one_key_ = false;       // of that name: the first argument is the only key
  unsigned further_step_ = 0;  // likewise
  std::span<const TimeMark> marks_;
  std::size_t mark_ = 0;
  std::vector<std::string_view> arguments_;
};

}  // namespace anclora::storage

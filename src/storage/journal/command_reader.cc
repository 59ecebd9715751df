#include "storage/journal/command_reader.h"

#include "storage/journal/command_keys.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kIdleArguments = 4096;  // what stays allocated between commands of many arguments

}  // namespace

void CommandReader::enter(std::span<const TimeMark> marks) {
  marks_ = marks;
  mark_ = 0;
}

void CommandReader::on_command(const redis::Command& command) {
  while (mark_ + 1 < marks_.size() && marks_[mark_].offset < command.last) ++mark_;
  std::size_t wanted = command.arguments.size();
  if (wanted_ == Arguments::kKeys && wanted > 1) {
    look_up(command.name);
    if (one_key_) wanted = 1;
  }
  arguments_.clear();
  for (const redis::Argument& argument : command.arguments.first(wanted)) arguments_.push_back(argument.kept);
  CommandView view;
  view.name = command.name;
  view.arguments = arguments_;
  view.argument_count = command.argument_count;
  view.database = command.database;
  view.first = command.first;
  view.last = command.last;
  view.transaction = command.transaction;
  if (!marks_.empty()) view.time = marks_[mark_].wall;
  on_view(view);
  if (arguments_.size() > kIdleArguments) arguments_ = {};
}

unsigned CommandReader::further_argument_step(std::string_view name) {
  look_up(name);
  return further_step_;
}

void CommandReader::look_up(std::string_view name) {
  if (name == newest_name_) return;
  newest_name_ = name;
  const std::size_t place = find_command(name);
  const KeyRule rule = place == kUnknownCommand ? KeyRule::kUnknown : command_facts(place).keys;
  one_key_ = rule == KeyRule::kFirst;
  further_step_ = key_argument_step(rule);
}

}  // namespace anclora::storage

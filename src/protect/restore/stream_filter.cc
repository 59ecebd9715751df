#include "protect/restore/stream_filter.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/whole_number.h"

namespace anclora::protect {
namespace {

using redis::Offset;

bool must_not_be_replayed(const redis::Command& command) {
  if (command.arguments.empty()) return false;
  const std::string_view first = command.arguments[0].kept;
  if (command.name == "PUBLISH") return first == "__sentinel__:hello";
  if (command.name != "REPLCONF" || first.size() != 6) return false;
  std::string upper(first);
  for (char& letter : upper)
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  return upper == "GETACK";
}

class DropVisitor final : public redis::CommandVisitor {
 public:
  void on_command(const redis::Command& command) override {
    if (must_not_be_replayed(command)) {
      dropped_.emplace_back(command.first, command.last);
    } else {
      ++passed_;
    }
    if (command.name == "SELECT" && !command.arguments.empty()) note_database(command.arguments[0].kept);
  }
  const std::vector<std::pair<Offset, Offset>>& dropped() const { return dropped_; }
  std::uint64_t passed() const { return passed_; }
  // By the SELECTs that were met; 0: none was.
  std::uint32_t databases_used() const { return databases_used_; }

 private:
  void note_database(std::string_view text) {
    const auto database = whole_number<std::uint32_t>(text);
    if (database && *database != UINT32_MAX) databases_used_ = std::max(databases_used_, *database + 1);
  }

  std::vector<std::pair<Offset, Offset>> dropped_;
  std::uint64_t passed_ = 0;
  std::uint32_t databases_used_ = 0;
};

}  // namespace

StreamFilter::StreamFilter(const redis::StreamState& start)
    : parser_(start), passed_(start.offset), databases_used_(start.database + 1) {}

Status StreamFilter::feed(ByteView chunk, Bytes& out) {
  DropVisitor visitor;
  const Offset chunk_start = passed_ + held_.size();
  RETURN_IF_ERROR(parser_.feed(chunk, visitor));
  commands_ += visitor.passed();
  databases_used_ = std::max(databases_used_, visitor.databases_used());
  const Offset end = parser_.state().offset;
  const auto pass = [&](Offset up_to) {
    if (passed_ < chunk_start && up_to > passed_) {
      const std::size_t size = std::min(up_to, chunk_start) - passed_;
      out.append(held_, held_.size() - (chunk_start - passed_), size);
      passed_ = passed_ + size;
    }
    if (up_to <= passed_) return;
    out.append(chunk.substr(passed_ - chunk_start, up_to - passed_));
    passed_ = up_to;
  };
  for (const auto& [first, last] : visitor.dropped()) {
    if (first <= passed_) continue;  // it was too long to be held back
    pass(first - 1);
    passed_ = last;
  }
  const Offset complete = parser_.in_command() ? parser_.command_start() - 1 : end;
  if (complete > passed_) pass(complete);
  if (end - passed_ > kHeldBytes) pass(end);
  if (passed_ < chunk_start) {
    held_.erase(0, held_.size() - (chunk_start - passed_));
    held_.append(chunk);
  } else {
    held_.assign(chunk.substr(passed_ - chunk_start));
  }
  return {};
}

}  // namespace anclora::protect

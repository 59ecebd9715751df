// Any bytes as a replication stream: however they are cut into pieces, and saved and loaded on the way, the commands
// and the end are the same.
#include <vector>

#include "fuzz_target.h"
#include "redis/resp/command_parser.h"

using namespace anclora;
using namespace anclora::redis;

namespace {

class Collector final : public CommandVisitor {
 public:
  void on_command(const Command& command) override {
    ends.push_back(command.last.value);
    names.append(command.name).push_back(' ');
    for (const Argument& argument : command.arguments) names.append(argument.kept).push_back(' ');
  }
  unsigned further_argument_step(std::string_view name) override { return static_cast<unsigned>(name.size() % 3); }
  std::vector<std::uint64_t> ends;
  std::string names;
};

struct Outcome {
  Collector seen;
  bool ok = true;
  StreamState state;
};

Outcome parse(ByteView bytes, std::size_t piece, bool reload) {
  Outcome outcome;
  CommandParser parser;
  for (std::size_t at = 0; at < bytes.size() && outcome.ok; at += piece) {
    outcome.ok = parser.feed(bytes.substr(at, piece), outcome.seen).has_value();
    if (!outcome.ok || !reload) continue;
    auto loaded = CommandParser::load(parser.save());
    FUZZ_CHECK(loaded.has_value());
    parser = std::move(*loaded);
  }
  outcome.state = parser.state();
  return outcome;
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  return {"*1\r\n$4\r\nPING\r\n",
          "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\nx\r\ny\r\n",
          "*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n*1\r\n$4\r\nEXEC\r\n",
          "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n\r\n\n",
          "*20\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n$1\r\nf\r\n$1\r\ng\r\n$"
          "1\r\nh\r\n$1\r\ni\r\n$1\r\nj"
          "\r\n$1\r\nk\r\n$1\r\nl\r\n$1\r\nm\r\n$1\r\nn\r\n$1\r\no\r\n$1\r\np\r\n$1\r\nq\r\n$1\r\nr\r\n$1\r\ns\r\n",
          "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$99999999999\r\nxx"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = fuzz_input(data, size);
  if (bytes.empty()) return 0;
  const Outcome whole = parse(bytes, bytes.size(), false);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    const Outcome cut = parse(bytes, piece, piece == 7);
    FUZZ_CHECK(cut.ok == whole.ok);
    FUZZ_CHECK(cut.seen.ends == whole.seen.ends);
    FUZZ_CHECK(cut.seen.names == whole.seen.names);
    FUZZ_CHECK(cut.state.offset == whole.state.offset);
  }
  return 0;
}

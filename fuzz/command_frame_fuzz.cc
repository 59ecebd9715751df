// Any body stands for the bytes that were asked for, or is refused; commands into which anything was put come back
// whole.
#include <algorithm>

#include "fuzz_target.h"
#include "storage/journal/command_frame_decoder.h"
#include "storage/journal/command_frame_encoder.h"

using namespace anclora;
using namespace anclora::storage;

namespace {

std::string repeated_commands(std::size_t count) {
  std::string stream;
  for (std::size_t id = 0; id < count; ++id) {
    const std::string job = std::to_string(id * id);
    stream += "*4\r\n$4\r\nHSET\r\n$" + std::to_string(job.size() + 4) + "\r\njob:" + job + "\r\n$4\r\nname\r\n$3\r\n" +
              (id % 3 == 0 ? "Ana" : "Eva") + "\r\n";
  }
  return stream;
}

// A byte a command: how many arguments, and which of them differ from the others.
std::string commands_of(std::string_view input) {
  std::string stream;
  for (const char c : input) {
    const auto choice = static_cast<std::uint8_t>(c);
    const std::size_t count = 2 + choice % 23;
    stream += "*" + std::to_string(count) + "\r\n$4\r\n" + (choice % 2 == 0 ? "SADD" : "ZADD") + "\r\n";
    for (std::size_t i = 1; i < count; ++i) {
      const std::string argument = choice % (i + 1) == 0 ? "k:" + std::to_string(choice * i) : std::string(i, 'a');
      stream += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
    }
  }
  return stream;
}

void expect_whole(CommandFrameEncoder& encoder, const std::string& plain) {
  const auto body = encoder.encode(plain);
  if (!body) return;
  CommandFrameDecoder decoder;
  std::ranges::copy((*body), decoder.body(body->size()));
  FUZZ_CHECK(decoder.decode(plain.size()) == plain);
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  CommandFrameEncoder encoder;
  const std::string plain = repeated_commands(2000);
  const auto body = encoder.encode(plain);
  FUZZ_CHECK(body.has_value());
  return {"", repeated_commands(20), std::string(body->substr(0, 2000)),
          "*4\r\n$4\r\nHSET\r\n$5\r\njob:7\r\n$4\r\nname\r\n$20\r\nthis is another thing\r\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view input = fuzz_input(data + 3, size - 3);
  CommandFrameDecoder decoder;
  std::ranges::copy(input, decoder.body(input.size()));
  const std::size_t wanted = static_cast<std::size_t>(data[0]) << 8 | data[1];
  const auto decoded = decoder.decode(wanted);
  FUZZ_CHECK(!decoded || decoded->size() == wanted);

  static const std::string commands = repeated_commands(2000);
  CommandFrameEncoder encoder;
  std::string plain = commands;
  for (std::size_t place = 1; place < 4; ++place) plain.insert(plain.size() / 4 * place + data[2], input);
  expect_whole(encoder, plain);
  expect_whole(encoder, plain + std::string(input));
  expect_whole(encoder, commands + commands_of(input) + commands);
  expect_whole(encoder, commands_of(input) + commands);
  return 0;
}

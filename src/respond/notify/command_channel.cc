// A program of the user's own: the message as one JSON object on its standard input, no shell, nothing of our
// environment but what every program needs.
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <optional>

#include "base/subprocess.h"
#include "respond/notify/channel_settings.h"

namespace anclora::respond {
namespace {

constexpr int kTryAgain = 75;  // EX_TEMPFAIL of sysexits.h
constexpr Duration kLookEvery = std::chrono::milliseconds(20);
constexpr Duration kGrace = std::chrono::seconds(1);  // between SIGTERM and SIGKILL
constexpr std::uint64_t kLargestOutput = 64 * kKiB;

std::vector<std::string> bare_environment() {
  std::vector<std::string> environment = {"LANG=C.UTF-8"};
  for (const char* name : {"PATH", "HOME", "TZ"})
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  return environment;
}

class OutputFile {
 public:
  OutputFile(FileSystem& files, Random& random) : files_(files) {
    const char* folder = std::getenv("TMPDIR");
    path_ = fmt::format("{}/anclora-notify-{}", folder != nullptr ? folder : "/tmp", to_hex(random.bytes(8)));
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() { ignore_result(files_.remove(path_)); }  // never made: nothing to remove
  const std::string& path() const { return path_; }
  std::string last_line() const {
    auto bytes = files_.read_all(path_, kLargestOutput);
    if (!bytes) return {};
    while (bytes->ends_with('\n') || bytes->ends_with('\r')) bytes->pop_back();
    const std::size_t line = bytes->rfind('\n');
    return line == std::string::npos ? *bytes : bytes->substr(line + 1);
  }

 private:
  FileSystem& files_;
  std::string path_;
};

class CommandChannel final : public Channel {
 public:
  CommandChannel(std::vector<std::string> argv, std::vector<Secret> secrets, const ChannelMeans& means)
      : argv_(std::move(argv)), secrets_(std::move(secrets)), means_(means) {}

  Attempt deliver(const Message& message, MonoTime deadline) override {
    const OutputFile output(means_.files, means_.random);
    const SubprocessOptions options{argv_, {}, output.path(), bare_environment(), true, to_json(message) + "\n"};
    auto process = Subprocess::start(options);
    if (!process) return {false, false, {}, without_secrets(process.error().message(), secrets_)};
    std::optional<int> code;
    while (!(code = (*process)->wait(kLookEvery))) {
      if (means_.clock.mono_now() < deadline) continue;
      (*process)->signal(SIGTERM);
      if (!(*process)->wait(kGrace)) (*process)->signal(SIGKILL);
      return {false, true, {}, argv_.front() + " did not end in time and was stopped"};
    }
    if (*code == 0) return {true, false, {}, argv_.front() + " ended with 0"};
    const std::string said = output.last_line();
    return {false,
            *code == kTryAgain,
            {},
            without_secrets(fmt::format("{} ended with {}{}{}", argv_.front(), *code, said.empty() ? "" : ": ", said),
                            secrets_)};
  }

 private:
  const std::vector<std::string> argv_;
  const std::vector<Secret> secrets_;
  const ChannelMeans means_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_command_channel(ChannelSettings& settings, const ChannelMeans& means) {
  std::vector<std::string> argv = settings.list("argv");
  if (argv.empty()) return settings.wrong("argv", "it names no program");
  return std::unique_ptr<Channel>(new CommandChannel(std::move(argv), settings.secrets(), means));
}

}  // namespace anclora::respond

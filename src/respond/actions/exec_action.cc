#include "respond/actions/exec_action.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/subprocess.h"

namespace anclora::respond {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(50);
constexpr Duration kGrace = std::chrono::seconds(2);  // between SIGTERM and SIGKILL
constexpr std::size_t kShownOutput = 2000;
constexpr std::uint64_t kMaxOutput = 64 * kMiB;

std::vector<std::string> texts_of(const plan::Value* value) {
  std::vector<std::string> texts;
  if (value != nullptr)
    for (const plan::Value& item : value->items) texts.push_back(item.text);
  return texts;
}

std::string text_of(const plan::Value& map, std::string_view key) {
  const plan::Value* value = map.find(key);
  return value == nullptr ? std::string() : value->text;
}

// The program's output, kept until it ends.
class OutputFile {
 public:
  OutputFile(FileSystem& files, Random& random) : files_(files) {
    const char* folder = std::getenv("TMPDIR");
    path_ = fmt::format("{}/anclora-exec-{}", folder != nullptr ? folder : "/tmp", to_hex(random.bytes(8)));
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() { ignore_result(files_.remove(path_)); }  // gone already: nothing to do
  const std::string& path() const { return path_; }
  std::string tail() const {
    const auto bytes = files_.read_all(path_, kMaxOutput);
    if (!bytes) return {};
    return bytes->size() <= kShownOutput ? *bytes : "..." + bytes->substr(bytes->size() - kShownOutput);
  }

 private:
  FileSystem& files_;
  std::string path_;
};

class ExecAction final : public Action {
 public:
  ExecAction(FileSystem& files, Random& random) : files_(files), random_(random) {}

  Result<Observation> probe(StepContext& context) override {
    RETURN_IF_ERROR(check_allowed(context));
    Observation seen;
    seen.current = "cannot be looked at";
    seen.desired = fmt::format("exit code {}", wanted_code(context));
    seen.call = fmt::format("{}", fmt::join(argv_of(context), " "));
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    RETURN_IF_ERROR(check_allowed(context));
    const OutputFile output(files_, random_);
    SubprocessOptions options{argv_of(context), text_of(context.step().with, "directory"), output.path()};
    options.environment = environment_of(context);
    options.only_this_environment = true;
    if (text_of(context.step().with, "check") != "true")
      RETURN_IF_ERROR(context.before_change(fmt::format("run {}", fmt::join(options.argv, " "))));
    ASSIGN_OR_RETURN(const auto process, Subprocess::start(options));
    std::optional<int> code;
    while (!(code = process->wait(kLookEvery))) {
      if (!context.cancelled() && context.clock().mono_now() < context.deadline()) continue;
      process->signal(SIGTERM);
      process->wait(kGrace);
      return Error(ErrorKind::kDeadlineExceeded, options.argv.front() + " did not end in time and was stopped");
    }
    const std::string said = output.tail();
    if (!said.empty()) context.note(said);
    if (*code != wanted_code(context))
      return Error(ErrorKind::kFailedPrecondition,
                   fmt::format("{} ended with {}: {}", options.argv.front(), *code, said));
    return Outcome{fmt::format("{} ended with {}", options.argv.front(), *code),
                   {{"exit_code", std::to_string(*code)}}};
  }

  // Its exit code is all there is to see, and that was judged.
  Status verify(StepContext&) override { return {}; }

  Result<Outcome> undo(StepContext&) override {
    return Error(ErrorKind::kUnsupported, "what a program did cannot be undone", "undo it by hand");
  }

 private:
  static std::vector<std::string> argv_of(const StepContext& context) {
    return texts_of(context.step().with.find("argv"));
  }
  // What every program needs, and what the target names: our own secrets are none of its business.
  static std::vector<std::string> environment_of(const StepContext& context) {
    std::vector<std::string> environment;
    // Not by resolve(): what that reads is masked in the journal, and these are no secrets.
    for (const char* name : {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"})
      if (const char* value = std::getenv(name); value != nullptr)
        environment.push_back(fmt::format("{}={}", name, value));
    const plan::Target& target = context.target(text_of(context.step().with, "target"));
    for (const std::string& name : texts_of(target.settings.find("environment"))) {
      const auto value = context.resolve("env:" + name);
      if (value.has_value()) environment.push_back(name + "=" + value->reveal());
    }
    return environment;
  }
  static int wanted_code(const StepContext& context) {
    return std::atoi(text_of(context.step().with, "exit_code").c_str());
  }

  static Status check_allowed(const StepContext& context) {
    const std::vector<std::string> argv = argv_of(context);
    const plan::Target& target = context.target(text_of(context.step().with, "target"));
    const plan::Value* allow = target.settings.find("allow");
    if (allow != nullptr && !argv.empty())
      for (const plan::Value& entry : allow->items) {
        const std::vector<std::string> prefix = texts_of(entry.find("argv"));
        if (!prefix.empty() && prefix.size() <= argv.size() && std::equal(prefix.begin(), prefix.end(), argv.begin()))
          return {};
      }
    return Error(ErrorKind::kPermissionDenied, fmt::format("{} does not allow: {}", target.id, fmt::join(argv, " ")),
                 "add it to its `allow` list");
  }

  FileSystem& files_;
  Random& random_;
};

}  // namespace

std::unique_ptr<Action> make_exec_action(FileSystem& files, Random& random) {
  return std::make_unique<ExecAction>(files, random);
}

}  // namespace anclora::respond

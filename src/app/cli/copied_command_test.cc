#include "app/cli/copied_command.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "base/memory_file_system.h"

namespace anclora::app {
namespace {

// What a command prints that was given these options.
std::string completed(const std::string& text, const std::string& repo, const std::string& passphrase_file,
                      const std::string& repo_of_environment = {}) {
  std::ostringstream out, err;
  MemoryFileSystem files(system_clock());
  CommandContext context{.out = out,
                         .err = err,
                         .clock = system_clock(),
                         .random = system_random(),
                         .files = files,
                         .dialer = system_dialer(),
                         .environment = [&](const std::string& name) -> std::optional<std::string> {
                           if (name == "ANCLORA_REPO" && !repo_of_environment.empty()) return repo_of_environment;
                           return std::nullopt;
                         },
                         .options = {},
                         .action = {}};
  context.options.repo = repo;
  context.options.passphrase_file = passphrase_file;
  return CopiedCommands(context).complete(text);
}

TEST(CopiedCommands, OfRunDrillAndIncidentNameTheRepositoryAndOpenIt) {
  const std::string words = " --repo '/srv/a repo' --passphrase-file /etc/pass";
  const auto complete = [](const std::string& text) { return completed(text, "/srv/a repo", "/etc/pass"); };
  EXPECT_EQ(complete("go on with: anclora run resume --run 7"), "go on with: anclora run resume" + words + " --run 7");
  EXPECT_EQ(complete("go on: anclora run resume"), "go on: anclora run resume" + words);
  EXPECT_EQ(complete("anclora drill clean\nanclora drill run restore; or wait"),
            "anclora drill clean" + words + "\nanclora drill run" + words + " restore; or wait");
  EXPECT_EQ(complete("next: anclora incident export i7 --out i7.tar"),
            "next: anclora incident export" + words + " i7 --out i7.tar");
  for (const char* as_it_is : {"anclora run resume --help", "anclora run status --run 7", "anclora incident list",
                               "anclora drill run restore --repo REPO", "anclora run starts"})
    EXPECT_EQ(complete(as_it_is), as_it_is);
}

TEST(CopiedCommands, LeaveOutWhatTheEnvironmentSays) {
  EXPECT_EQ(completed("anclora run resume --run 7", "/srv/repo", "", "/srv/repo"), "anclora run resume --run 7");
  EXPECT_EQ(completed("anclora run resume --run 7", "", ""), "anclora run resume --run 7");
}

TEST(CopiedCommands, NameTheWholePathOfARepositoryThatWasGivenFromHere) {
  const std::string here = std::filesystem::weakly_canonical("backup").string();
  const std::string safety = "anclora restore --repo backup --name safety/x --at latest --to redis://h:1 --replace";
  EXPECT_EQ(completed(safety, "backup", "/etc/pass"),
            "anclora restore --repo " + here +
                " --passphrase-file /etc/pass --name safety/x --at latest --to "
                "redis://h:1 --replace");
  EXPECT_TRUE(
      completed(safety, "file://backup", "", "file://backup").starts_with("anclora restore --repo " + here + " "));
  EXPECT_TRUE(completed(safety, "elsewhere", "").starts_with("anclora restore --repo backup --name"));
}

}  // namespace
}  // namespace anclora::app

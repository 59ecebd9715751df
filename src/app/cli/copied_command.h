// Commands that are printed for people to copy: with what this invocation was told about its repository, so that they
// run in another shell too.
#pragma once

#include <string>
#include <string_view>

#include "app/cli/command_context.h"

namespace anclora::app {

class CopiedCommands {
 public:
  explicit CopiedCommands(const CommandContext& context);
  // Every "anclora restore" of `text` that names a point, and every command of `run`, `drill` and `incident` that opens
  // a repository, gets the options that name it and open it. Those that the environment gave are left out: the next
  // command finds them there, too. A restore that names this invocation's repository names its whole path.
  std::string complete(std::string text) const;

 private:
  void complete_restores(std::string& text) const;
  void complete_others(std::string& text, std::string_view command) const;

  std::string as_given_;  // "--repo backup ", or empty
  std::string as_place_;  // "--repo /srv/backup ", or empty
  std::string repo_;      // the same, or empty where the environment names it
  std::string access_;    // "--passphrase-file /etc/anclora/passphrase ", ...
};

}  // namespace anclora::app

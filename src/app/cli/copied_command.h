// Commands that are printed for people to copy: with what this invocation was told about its repository, so that they
// run in another shell too.
#pragma once

#include <string>

#include "app/cli/command_context.h"

namespace anclora::app {

class CopiedCommands {
 public:
  explicit CopiedCommands(const CommandContext& context);
  // Every "anclora restore" of `text` that names a point gets the options that name the repository and open it. Those
  // that the environment gave are left out: the next command finds them there, too.
  std::string complete(std::string text) const;

 private:
  std::string repo_;    // "--repo /srv/backup ", or empty
  std::string access_;  // "--passphrase-file /etc/anclora/passphrase ", ...
};

}  // namespace anclora::app

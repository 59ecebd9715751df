// A Redis on the command line: its URL, and the secrets and certificates that must not stand in it.
#pragma once

#include <string>

#include "app/cli/command_context.h"
#include "redis/client/redis_url.h"

namespace anclora::app {

struct RedisUrlOption {
  std::string url;
  std::string password_file;
  std::string ca_file, certificate_file, key_file, server_name;

  // --PREFIXpassword-file, --PREFIXtls-ca-file, ...: prefix "source-" or "target-" or "".
  void add_to(CLI::App& command, const std::string& prefix);
  // The password comes from the file, else from the URL, else from ANCLORA_REDIS_PASSWORD.
  Result<redis::RedisUrl> parse(const CommandContext& context) const;
};

}  // namespace anclora::app

#include "app/cli/redis_url_option.h"

#include <CLI/CLI.hpp>

#include "base/secret_file.h"

namespace anclora::app {

void RedisUrlOption::add_to(CLI::App& command, const std::string& prefix) {
  const std::string option = "--" + prefix;
  command.add_option(option + "password-file", password_file,
                     "a file with the Redis password (else the URL's, else ANCLORA_REDIS_PASSWORD)");
  command.add_option(option + "tls-ca-file", ca_file,
                     "for rediss://: PEM file of the authority (default: the system's)");
  command.add_option(option + "tls-cert-file", certificate_file, "for rediss://: our certificate");
  command.add_option(option + "tls-key-file", key_file, "for rediss://: its key");
  command.add_option(option + "tls-server-name", server_name, "for rediss://: the name the certificate must bear");
}

Result<redis::RedisUrl> RedisUrlOption::parse(const CommandContext& context) const {
  ASSIGN_OR_RETURN(redis::RedisUrl parsed, redis::RedisUrl::parse(url));
  if (!password_file.empty()) {
    ASSIGN_OR_RETURN(parsed.password, read_secret_file(context.files, password_file));
  } else if (parsed.password.empty()) {
    if (const auto password = context.environment("ANCLORA_REDIS_PASSWORD")) parsed.password = Secret(*password);
  }
  const bool given = !ca_file.empty() || !certificate_file.empty() || !key_file.empty() || !server_name.empty();
  if (given && !parsed.tls)
    return Error(ErrorKind::kInvalidArgument, "TLS options were given for " + parsed.to_string(),
                 "write rediss:// instead of redis://");
  if (!ca_file.empty()) parsed.tls->ca_file = ca_file;
  if (!certificate_file.empty()) parsed.tls->certificate_file = certificate_file;
  if (!key_file.empty()) parsed.tls->key_file = key_file;
  if (!server_name.empty()) parsed.tls->server_name = server_name;
  return parsed;
}

}  // namespace anclora::app

// Where a supervisord answers, as supervisorctl finds it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace anclora::respond {

struct SupervisorAddress {
  std::string server;  // unix:///path or http://host:port; no secret
  std::string user;    // empty: none is asked for
  Secret password;

  // The path of its Unix socket; empty: `server` is a URL.
  std::string socket() const;
};

// unix:///path or http://[user:password@]host[:port], as supervisorctl's -s takes it. kInvalidArgument for anything
// else, which may hold a secret and is not repeated.
Result<SupervisorAddress> parse_supervisor_server(std::string_view server);

// The section [supervisorctl] of a supervisord.conf, whose folder is `here`: serverurl (default http://localhost:9001),
// username, password, with %(here)s and %(ENV_name)s filled in (http://supervisord.org/configuration.html).
// `environment` gives a variable's value. kInvalidArgument names the line.
Result<SupervisorAddress> read_supervisor_address(
    std::string_view text, std::string_view here,
    const std::function<std::optional<std::string>(std::string_view)>& environment);

}  // namespace anclora::respond

// Where a Redis is and how to sign in to it, from a URL:
//   redis://[user[:password]@]host[:port][/database]       rediss:// the same over TLS
//   unix://[user[:password]@]/path/of/socket
// with ?db=N, and for rediss ?ca=FILE, ?cert=FILE, ?key=FILE, ?server-name=NAME. User, password, path and query values
// are percent-decoded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/socket.h"

namespace anclora::redis {

struct RedisUrl {
  Endpoint endpoint;
  std::optional<TlsOptions> tls;  // set: connect with TLS
  std::string user;               // empty: the default user
  Secret password;                // empty: no AUTH
  std::uint32_t database = 0;

  // kInvalidArgument names the part that is wrong; the message never repeats the text, which may hold a password.
  static Result<RedisUrl> parse(std::string_view text);
  // Without the password: for messages, reports and the log. "redis://user@host:6379/2"
  std::string to_string() const;
  const TlsOptions* tls_or_null() const { return tls ? &*tls : nullptr; }
};

}  // namespace anclora::redis

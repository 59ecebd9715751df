// OpenSSL's objects made from TlsOptions: at least TLS 1.2, chain and name always verified, no renegotiation.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/socket.h"

struct ssl_ctx_st;
struct ssl_st;

namespace anclora {

struct TlsContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsContextDeleter>;

// What the verification of the peer's certificate found; filled during the handshake.
struct TlsVerdict {
  long code = 0;      // X509_V_*
  std::string names;  // that the certificate bears: "a.example, 10.0.0.1"
};

struct TlsSessionDeleter {
  void operator()(ssl_st* session) const;
};
using TlsSession = std::unique_ptr<ssl_st, TlsSessionDeleter>;

// kInvalidArgument, naming the file, when a certificate or key cannot be used.
Result<TlsContext> make_client_context(const TlsOptions& options);
// With ca_file, clients must show a certificate that it signed.
Result<TlsContext> make_server_context(const TlsOptions& options);

// A session over `fd`, which stays the caller's. `verdict` outlives it. An empty `server_name` makes the server's side.
Result<TlsSession> make_session(ssl_ctx_st& context, int fd, const std::string& server_name, TlsVerdict& verdict);

// The error for a failed step with `peer`: kUnauthenticated when either side refused a certificate, else kUnavailable.
// Takes the thread's OpenSSL error queue and errno.
Error tls_error(ssl_st& session, int answer, const TlsVerdict& verdict, const std::string& peer,
                const std::string& expected_name);

}  // namespace anclora

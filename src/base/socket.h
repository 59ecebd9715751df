// Byte streams over TCP, Unix sockets and TLS, with a deadline on every wait. No call blocks for ever.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace anclora {

struct Endpoint {
  std::string host;  // a name, an IPv4 or IPv6 address without brackets, or an absolute path of a Unix socket
  std::uint16_t port = 0;
  std::string to_string() const;  // "host:port", "[::1]:6379", "/run/redis.sock"
};

struct TlsOptions {
  std::string ca_file;           // PEM; empty: the system's store
  std::string certificate_file;  // PEM; empty: none is shown
  std::string key_file;
  std::string server_name;  // checked against the certificate and sent as SNI; empty: the endpoint's host
};

// A connected stream. One thread at a time, except interrupt(), which any thread may call at any moment.
class Connection {
 public:
  virtual ~Connection() = default;
  // Waits until at least one byte is there, then returns what is there, at most `limit` bytes, appended to `out`.
  // 0 means the peer closed. kDeadlineExceeded after `timeout`; kCancelled after interrupt(); kUnavailable when cut.
  virtual Result<std::size_t> read_some(Bytes& out, std::size_t limit, Duration timeout) = 0;
  // All of it, or an error as above. A write that stops half way leaves a torn stream: every later one is kUnavailable.
  virtual Status write_all(ByteView bytes, Duration timeout) = 0;
  // What precedes the first byte: the TLS handshake of a connection that was accepted. Reads and writes do it by
  // themselves, within their own timeout.
  virtual Status handshake(Duration /*timeout*/) { return {}; }
  // Wakes a read or write that waits, now or next, once, with kCancelled. The connection stays usable.
  virtual void interrupt() = 0;
  // The peer's and our own address, for messages and for announcing ourselves.
  virtual Endpoint peer() const = 0;
  virtual Endpoint local() const = 0;
};

// Any thread. kUnavailable: refused, unreachable, name unknown; kDeadlineExceeded; kUnauthenticated: the certificate
// is not trusted or bears another name (the message names both).
class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual Result<std::unique_ptr<Connection>> dial(const Endpoint& endpoint, const TlsOptions* tls,
                                                   Duration timeout) = 0;
};

Dialer& system_dialer();

// Listens until destroyed. accept() from one thread, interrupt() from any.
class Listener {
 public:
  virtual ~Listener() = default;
  // The next client, as soon as it is connected. kDeadlineExceeded when none came; kCancelled after interrupt().
  virtual Result<std::unique_ptr<Connection>> accept(Duration timeout) = 0;
  virtual void interrupt() = 0;
  virtual Endpoint local() const = 0;
};

// Port 0 takes a free one; kAlreadyExists when the port or path is taken. With `tls`, certificate_file and key_file are
// required; with its ca_file, clients must show a certificate that this CA signed. accept() waits for no handshake: a
// client that is slow with it, or never speaks, holds nobody up but the thread that reads from it.
Result<std::unique_ptr<Listener>> listen_on(const Endpoint& endpoint, const TlsOptions* tls = nullptr);

}  // namespace anclora

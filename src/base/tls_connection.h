// A Connection over TLS. A stream that ends without TLS's own goodbye was cut, perhaps by somebody in between, and is
// kUnavailable, never "closed".
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/socket.h"
#include "base/socket_handle.h"
#include "base/tls_session.h"

namespace anclora {

class TlsConnection final : public Connection {
 public:
  // Does the handshake. An empty `server_name` makes this the server's side; the context may go afterwards.
  static Result<std::unique_ptr<TlsConnection>> handshake(SocketHandle socket, ssl_ctx_st& context,
                                                          const std::string& server_name, MonoTime deadline);
  ~TlsConnection() override;

  Result<std::size_t> read_some(Bytes& out, std::size_t limit, Duration timeout) override;
  Status write_all(ByteView bytes, Duration timeout) override;
  void interrupt() override { socket_.interrupt(); }
  Endpoint peer() const override { return socket_.name(); }
  Endpoint local() const override { return socket_.local(); }

 private:
  enum class Step { kDone, kWaitForRead, kWaitForWrite, kClosed, kBroken };

  TlsConnection(SocketHandle socket, std::string server_name)
      : socket_(std::move(socket)), server_name_(std::move(server_name)) {}
  // Says what an SSL_* call that answered `answer` asks for; on kBroken, broken_ says why.
  Step judge(int answer);
  Status wait_as(Step step, MonoTime deadline);
  // Takes the records that are there, without waiting; `got` grows.
  Step take_records(char* data, std::size_t size, std::size_t& got);

  SocketHandle socket_;
  std::string server_name_;
  TlsVerdict verdict_;
  TlsSession session_;
  std::optional<Error> broken_;
  bool open_ = false;
};

}  // namespace anclora

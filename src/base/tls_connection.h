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
  // The client's side, its handshake done. The context may go afterwards, here as below.
  static Result<std::unique_ptr<TlsConnection>> connect(SocketHandle socket, ssl_ctx_st& context,
                                                        const std::string& server_name, MonoTime deadline);
  // The server's side, its handshake still to do: the first use does it.
  static Result<std::unique_ptr<TlsConnection>> accepted(SocketHandle socket, ssl_ctx_st& context);
  ~TlsConnection() override;

  Status handshake(Duration timeout) override { return shake_hands(deadline_after(timeout)); }

  Result<std::size_t> read_some(Bytes& out, std::size_t limit, Duration timeout) override;
  Status write_all(ByteView bytes, Duration timeout) override;
  void interrupt() override { socket_.interrupt(); }
  Endpoint peer() const override { return socket_.name(); }
  Endpoint local() const override { return socket_.local(); }

 private:
  enum class Step { kDone, kWaitForRead, kWaitForWrite, kClosed, kBroken };

  TlsConnection(SocketHandle socket, std::string server_name)
      : socket_(std::move(socket)), server_name_(std::move(server_name)) {}
  Status shake_hands(MonoTime deadline);
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
};

}  // namespace anclora

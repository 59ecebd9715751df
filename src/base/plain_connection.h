// A Connection without encryption over TCP or a Unix socket.
#pragma once

#include "base/socket.h"
#include "base/socket_handle.h"

namespace anclora {

class PlainConnection final : public Connection {
 public:
  explicit PlainConnection(SocketHandle socket) : socket_(std::move(socket)) {}

  Result<std::size_t> read_some(Bytes& out, std::size_t limit, Duration timeout) override;
  Status write_all(ByteView bytes, Duration timeout) override;
  void interrupt() override { socket_.interrupt(); }
  Endpoint peer() const override { return socket_.name(); }
  Endpoint local() const override { return socket_.local(); }

 private:
  SocketHandle socket_;
  bool torn_ = false;  // a write stopped half way
};

}  // namespace anclora

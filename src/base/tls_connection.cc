#include "base/tls_connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <cerrno>

namespace anclora {

Result<std::unique_ptr<TlsConnection>> TlsConnection::connect(SocketHandle socket, ssl_ctx_st& context,
                                                              const std::string& server_name, MonoTime deadline) {
  std::unique_ptr<TlsConnection> connection(new TlsConnection(std::move(socket), server_name));
  ASSIGN_OR_RETURN(connection->session_,
                   make_session(context, connection->socket_.fd(), server_name, connection->verdict_));
  RETURN_IF_ERROR(connection->shake_hands(deadline));
  return connection;
}

Result<std::unique_ptr<TlsConnection>> TlsConnection::accepted(SocketHandle socket, ssl_ctx_st& context) {
  std::unique_ptr<TlsConnection> connection(new TlsConnection(std::move(socket), std::string()));
  ASSIGN_OR_RETURN(connection->session_,
                   make_session(context, connection->socket_.fd(), std::string(), connection->verdict_));
  return connection;
}

Status TlsConnection::shake_hands(MonoTime deadline) {
  if (SSL_is_init_finished(session_.get()) != 0) return {};
  while (true) {
    if (broken_) return *broken_;
    ERR_clear_error();
    errno = 0;
    const Step step = judge(SSL_do_handshake(session_.get()));
    if (step == Step::kDone) return {};
    if (step == Step::kBroken) return *broken_;
    if (step == Step::kClosed)
      return Error(ErrorKind::kUnavailable, peer().to_string() + " closed during the TLS handshake");
    RETURN_IF_ERROR(wait_as(step, deadline));
  }
}

TlsConnection::~TlsConnection() {
  // Says goodbye without waiting for an answer.
  if (session_ && SSL_is_init_finished(session_.get()) != 0 && !broken_) SSL_shutdown(session_.get());
  ERR_clear_error();
}

TlsConnection::Step TlsConnection::judge(int answer) {
  if (answer > 0) return Step::kDone;
  switch (SSL_get_error(session_.get(), answer)) {
    case SSL_ERROR_WANT_READ:
      return Step::kWaitForRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::kWaitForWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kClosed;
    default:
      broken_ = tls_error(*session_, answer, verdict_, peer().to_string(), server_name_);
      return Step::kBroken;
  }
}

Status TlsConnection::wait_as(Step step, MonoTime deadline) {
  return socket_.wait_for(step == Step::kWaitForWrite ? POLLOUT : POLLIN, deadline);
}

TlsConnection::Step TlsConnection::take_records(char* data, std::size_t size, std::size_t& got) {
  Step step = Step::kDone;
  do {
    std::size_t part = 0;
    ERR_clear_error();
    errno = 0;
    step = judge(SSL_read_ex(session_.get(), data + got, size - got, &part));
    got += part;
  } while (step == Step::kDone && got < size && SSL_has_pending(session_.get()) != 0);
  return step;
}

Result<std::size_t> TlsConnection::read_some(Bytes& out, std::size_t limit, Duration timeout) {
  if (limit == 0) return Error(ErrorKind::kInternal, "a read of no bytes would look like a closed connection");
  RETURN_IF_ERROR(socket_.check_interrupt());
  const MonoTime deadline = deadline_after(timeout);
  RETURN_IF_ERROR(shake_hands(deadline));
  const std::size_t before = out.size();
  while (true) {
    if (broken_) return *broken_;
    Step step = Step::kDone;
    std::size_t got = 0;
    out.resize_and_overwrite(before + read_chunk(out, limit), [&](char* data, std::size_t size) {
      step = take_records(data + before, size - before, got);
      return before + got;
    });
    // What came before an end or a failure is delivered first; the next call meets it again.
    if (got > 0) return got;
    if (step == Step::kClosed) return std::size_t{0};
    if (step == Step::kBroken) return *broken_;
    RETURN_IF_ERROR(wait_as(step, deadline));
  }
}

Status TlsConnection::write_all(ByteView bytes, Duration timeout) {
  if (broken_) return *broken_;
  RETURN_IF_ERROR(socket_.check_interrupt());
  const MonoTime deadline = deadline_after(timeout);
  RETURN_IF_ERROR(shake_hands(deadline));
  while (!bytes.empty()) {
    std::size_t part = 0;
    ERR_clear_error();
    errno = 0;
    const Step step = judge(SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &part));
    bytes.remove_prefix(part);
    if (step == Step::kDone) continue;
    if (step == Step::kBroken) return *broken_;
    if (step == Step::kClosed)
      return Error(ErrorKind::kUnavailable, "the TLS connection to " + peer().to_string() + " is closed");
    const Status ready = wait_as(step, deadline);
    // A record is half out: whatever were written next would be taken for the rest of it.
    if (!ready.has_value())
      broken_ = Error(ErrorKind::kUnavailable, "an earlier write to " + peer().to_string() + " stopped half way",
                      "open a new connection");
    RETURN_IF_ERROR(ready);
  }
  return {};
}

}  // namespace anclora

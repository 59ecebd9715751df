// The library's HTTP server with bounds that slow clients cannot stretch: one request a connection, read and answered
// within a total time, which shrinks to a second while other connections wait for a thread.
#pragma once

#include <httplib.h>

#include <atomic>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/socket.h"

namespace anclora::app {

struct HttpBounds {
  std::size_t threads = 64;                   // connections that are served at a time; more wait
  std::size_t largest_body = 1 << 20;         // beyond it 413, as soon as it is announced
  Duration whole = std::chrono::seconds(10);  // to read a request, counted from its connection; to write an answer
  Duration while_others_wait = std::chrono::seconds(1);  // instead, while connections wait for a thread
};

// Routes are added before listen(). Thread rule: one thread.
class BoundedHttpServer : public httplib::Server {
 public:
  explicit BoundedHttpServer(HttpBounds bounds);
  ~BoundedHttpServer() override;  // a request that is still being read is given up

  // Serves from threads of its own. kAlreadyExists when the port is taken; `option` is what names another one.
  Status serve(const Endpoint& address, const std::string& option);
  std::uint16_t bound_port() const { return port_; }
  // In a handler of errors: 413 where the library's own answer to a request that was too long was another.
  static int reason_of(int status);

 private:
  bool process_and_close_socket(socket_t socket) override;

  const HttpBounds bounds_;
  std::atomic<std::size_t> waiting_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ended_ = false;  // its loop
  std::thread thread_;
  std::uint16_t port_ = 0;
};

}  // namespace anclora::app

// An HTTP server of a test's own on a free loopback port: answers each request with what the script says.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/socket.h"

namespace anclora::respond::testing {

struct StubRequest {
  std::string head;  // request line and headers, names in lower case
  std::string body;
  std::string header(const std::string& name) const;  // "" when there is none
};

// "HTTP/1.1 <status> X" with these headers ("Retry-After: 1\r\n") and this body.
std::string stub_answer(int status, const std::string& body = "", const std::string& headers = "");

// Thread rule: any thread.
class HttpStub {
 public:
  using Answer = std::function<std::string(std::size_t number, const StubRequest&)>;  // "" : hangs
  explicit HttpStub(Answer answer, const TlsOptions* tls = nullptr);
  ~HttpStub();
  HttpStub(const HttpStub&) = delete;
  HttpStub& operator=(const HttpStub&) = delete;
  std::string url(const std::string& scheme = "http") const;
  std::vector<StubRequest> requests() const;

 private:
  void serve(Connection& connection);
  Answer answer_;
  std::unique_ptr<Listener> listener_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<StubRequest> requests_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace anclora::respond::testing

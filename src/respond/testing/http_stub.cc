#include "respond/testing/http_stub.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace anclora::respond::testing {

std::string StubRequest::header(const std::string& name) const {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string stub_answer(int status, const std::string& body, const std::string& headers) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}", status, body.size(),
                     headers, body);
}

HttpStub::HttpStub(Answer answer, const TlsOptions* tls)
    : answer_(std::move(answer)), listener_(listen_on({"127.0.0.1", 0}, tls).value()) {
  accepting_ = std::thread([this] {
    while (!stopping_) {
      auto connection = listener_->accept(std::chrono::seconds(60));
      if (!connection.has_value()) continue;
      serving_.emplace_back([this, taken = std::shared_ptr<Connection>(std::move(*connection))] { serve(*taken); });
    }
  });
}

HttpStub::~HttpStub() {
  stopping_ = true;
  listener_->interrupt();
  accepting_.join();
  for (std::thread& thread : serving_) thread.join();
}

void HttpStub::serve(Connection& connection) {
  Bytes bytes;
  std::size_t end = std::string::npos;
  std::size_t length = 0;
  while (end == std::string::npos || bytes.size() < end + 4 + length) {
    const auto read = connection.read_some(bytes, 65536, std::chrono::seconds(60));
    if (!read.has_value() || *read == 0) return;
    end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const std::size_t at = bytes.find("Content-Length: ");
    if (at < end) length = std::strtoull(bytes.c_str() + at + 16, nullptr, 10);
  }
  StubRequest request{bytes.substr(0, end) + "\r\n", bytes.substr(end + 4)};
  std::size_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    number = requests_.size();
  }
  const std::string answer = answer_(number, request);
  if (answer.empty())
    while (!stopping_) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  else
    ignore_result(connection.write_all(answer, std::chrono::seconds(60)));
}

std::string HttpStub::url(const std::string& scheme) const {
  return fmt::format("{}://127.0.0.1:{}", scheme, listener_->local().port);
}

std::vector<StubRequest> HttpStub::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

}  // namespace anclora::respond::testing

// An S3 server for faults that no real one produces on demand: it answers honestly from memory unless the script says
// otherwise. Signatures are not checked.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/socket.h"

namespace anclora::storage {

struct ScriptedAnswer {
  enum class Kind : std::uint8_t {
    kHonest,
    kStatus,         // `status`, `headers` and `body`; nothing is done
    kHang,           // nothing is done, and no answer comes
    kHangAfter,      // done, and no answer comes
    kLostReply,      // done, then the connection is cut
    kCut,            // nothing is done, the connection is cut
    kTruncatedBody,  // done; the right length, half of the bytes, then a cut
    kShortBody,      // done; half of the bytes with a length that fits them
    kNoLength,       // done; no length, the end of the connection ends it
    kEndlessBody,    // 200 and chunks for ever
  };
  Kind kind = Kind::kHonest;
  int status = 500;
  std::string body = {};  // initialised for designated initialisers
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// Any thread. Serves path-style requests until destroyed.
class ScriptedS3 {
 public:
  // With `tls`, an https server.
  explicit ScriptedS3(const TlsOptions* tls = nullptr);
  ~ScriptedS3();
  ScriptedS3(const ScriptedS3&) = delete;
  ScriptedS3& operator=(const ScriptedS3&) = delete;

  std::string endpoint() const;  // "http://127.0.0.1:PORT"
  // The next answers, one a request; after them honesty.
  void script(std::vector<ScriptedAnswer> answers);
  // Every answer that the script does not give.
  void always(ScriptedAnswer answer);
  // "PUT /bucket/key", in order of arrival.
  std::vector<std::string> requests() const;
  std::size_t connections() const { return connections_; }
  // The head of the last request, with its lines.
  std::string last_head() const;
  std::map<std::string, std::string> objects() const;  // by "/bucket/key"

 private:
  struct Request {
    std::string method;
    std::string path;
    std::string query;
    std::string head;
    std::string body;
  };
  struct Answer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
  };
  void serve();
  void converse(Connection& connection);
  bool read_request(Connection& connection, std::string& buffered, Request& request);
  ScriptedAnswer next_answer(const Request& request);
  Answer act(const Request& request);
  Answer put(const Request& request);
  Answer get(const Request& request);
  Answer list(const Request& request);
  bool reply(Connection& connection, const Request& request, const ScriptedAnswer& scripted);
  void hang(Connection& connection);

  std::unique_ptr<Listener> listener_;
  bool tls_ = false;
  mutable std::mutex mutex_;
  std::deque<ScriptedAnswer> script_;
  ScriptedAnswer always_;
  std::vector<std::string> requests_;
  std::string last_head_;
  std::map<std::string, std::string> objects_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::jthread> conversations_;
  std::jthread acceptor_;
};

}  // namespace anclora::storage

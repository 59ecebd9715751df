#include "storage/testing/scripted_s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <stdexcept>

namespace anclora::storage {
namespace {

using Kind = ScriptedAnswer::Kind;
constexpr Duration kPoll = std::chrono::milliseconds(50);
constexpr Duration kPatience = std::chrono::seconds(60);  // a TLS handshake is part of accepting; the end interrupts it
constexpr Duration kWriteTimeout = std::chrono::seconds(60);

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm broken_down = {};
  ::gmtime_r(&now, &broken_down);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &broken_down);
  return text;
}

// The value of a header in a request's head, or "".
std::string header_of(const std::string& head, const std::string& name) {
  std::string lower = head;
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; });
  const std::size_t at = lower.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + 2 + name.size() + 2;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::size_t number(const std::string& text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string error_body(std::string_view code) {
  return fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>scripted</Message></Error>", code);
}

}  // namespace

ScriptedS3::ScriptedS3(const TlsOptions* tls) : tls_(tls != nullptr) {
  auto listener = listen_on(Endpoint{"127.0.0.1", 0}, tls);
  if (!listener.has_value()) throw std::runtime_error(listener.error().to_string());
  listener_ = std::move(*listener);
  acceptor_ = std::jthread([this] { serve(); });
}

ScriptedS3::~ScriptedS3() {
  stopping_ = true;
  listener_->interrupt();
  acceptor_.join();
  conversations_.clear();
}

std::string ScriptedS3::endpoint() const {
  return fmt::format("{}://127.0.0.1:{}", tls_ ? "https" : "http", listener_->local().port);
}

void ScriptedS3::script(std::vector<ScriptedAnswer> answers) {
  const std::lock_guard lock(mutex_);
  script_.assign(answers.begin(), answers.end());
}

void ScriptedS3::always(ScriptedAnswer answer) {
  const std::lock_guard lock(mutex_);
  always_ = std::move(answer);
}

std::vector<std::string> ScriptedS3::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string ScriptedS3::last_head() const {
  const std::lock_guard lock(mutex_);
  return last_head_;
}

std::map<std::string, std::string> ScriptedS3::objects() const {
  const std::lock_guard lock(mutex_);
  return objects_;
}

void ScriptedS3::serve() {
  while (!stopping_) {
    auto accepted = listener_->accept(kPatience);
    if (!accepted.has_value()) continue;
    ++connections_;
    conversations_.emplace_back(
        [this, connection = std::shared_ptr<Connection>(std::move(*accepted))] { converse(*connection); });
  }
}

void ScriptedS3::converse(Connection& connection) {
  std::string buffered;
  Request request;
  while (!stopping_ && read_request(connection, buffered, request)) {
    if (!reply(connection, request, next_answer(request))) return;
  }
}

bool ScriptedS3::read_request(Connection& connection, std::string& buffered, Request& request) {
  const auto more = [&] {
    while (!stopping_) {
      const auto got = connection.read_some(buffered, 256 * kKiB, kPoll);
      if (got.has_value()) return *got > 0;
      if (got.error().kind() != ErrorKind::kDeadlineExceeded) return false;
    }
    return false;
  };
  std::size_t end = buffered.find("\r\n\r\n");
  for (; end == std::string::npos; end = buffered.find("\r\n\r\n")) {
    if (!more()) return false;
  }
  request.head = buffered.substr(0, end + 2);
  const std::size_t length = number(header_of(request.head, "content-length"));
  while (buffered.size() < end + 4 + length) {
    if (!more()) return false;
  }
  request.body = buffered.substr(end + 4, length);
  buffered.erase(0, end + 4 + length);
  const std::size_t space = request.head.find(' ');
  const std::string target = request.head.substr(space + 1, request.head.find(' ', space + 1) - space - 1);
  request.method = request.head.substr(0, space);
  request.path = target.substr(0, target.find('?'));
  request.query = target.substr(std::min(request.path.size(), target.size()));
  return true;
}

ScriptedAnswer ScriptedS3::next_answer(const Request& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request.method + " " + request.path);
  last_head_ = request.head;
  if (script_.empty()) return always_;
  ScriptedAnswer answer = script_.front();
  script_.pop_front();
  return answer;
}

ScriptedS3::Answer ScriptedS3::act(const Request& request) {
  const std::lock_guard lock(mutex_);
  if (request.method == "PUT") return put(request);
  if (request.query.find("list-type=2") != std::string::npos) return list(request);
  if (request.method == "GET" || request.method == "HEAD") return get(request);
  if (request.method == "DELETE") {
    objects_.erase(request.path);
    return {204, {}, ""};
  }
  return {405, {}, error_body("MethodNotAllowed")};
}

ScriptedS3::Answer ScriptedS3::put(const Request& request) {
  if (header_of(request.head, "if-none-match") == "*" && objects_.contains(request.path)) {
    return {412, {}, error_body("PreconditionFailed")};
  }
  objects_[request.path] = request.body;
  return {200, {{"ETag", "\"scripted\""}}, ""};
}

ScriptedS3::Answer ScriptedS3::get(const Request& request) {
  const auto at = objects_.find(request.path);
  if (at == objects_.end()) return {404, {}, error_body("NoSuchKey")};
  Answer answer{200, {{"Last-Modified", http_date()}}, at->second};
  const std::string range = header_of(request.head, "range");
  if (range.empty()) return answer;
  const std::size_t first = number(range.substr(range.find('=') + 1));
  const std::size_t last = number(range.substr(range.find('-') + 1));
  if (first >= at->second.size()) return {416, {}, error_body("InvalidRange")};
  answer.status = 206;
  answer.body = at->second.substr(first, last - first + 1);
  answer.headers.emplace_back("Content-Range",
                              fmt::format("bytes {}-{}/{}", first, first + answer.body.size() - 1, at->second.size()));
  return answer;
}

ScriptedS3::Answer ScriptedS3::list(const Request& request) {
  std::string xml = "<ListBucketResult><IsTruncated>false</IsTruncated>";
  const std::string bucket = request.path.ends_with('/') ? request.path : request.path + "/";
  for (const auto& [path, bytes] : objects_) {
    if (!path.starts_with(bucket)) continue;
    xml += fmt::format(
        "<Contents><Key>{}</Key><Size>{}</Size><LastModified>2026-11-24T00:00:00.000Z</LastModified></Contents>",
        path.substr(bucket.size()), bytes.size());
  }
  return {200, {}, xml + "</ListBucketResult>"};
}

// Answers nobody, until the client goes or the server ends.
void ScriptedS3::hang(Connection& connection) {
  Bytes ignored;
  while (!stopping_) {
    const auto got = connection.read_some(ignored, 1024, kPoll);
    if (got.has_value() ? *got == 0 : got.error().kind() != ErrorKind::kDeadlineExceeded) return;
  }
}

// Whether the connection goes on.
bool ScriptedS3::reply(Connection& connection, const Request& request, const ScriptedAnswer& scripted) {
  const Kind kind = scripted.kind;
  if (kind == Kind::kHang) hang(connection);
  if (kind == Kind::kHang || kind == Kind::kCut) return false;
  Answer answer = kind == Kind::kStatus        ? Answer{scripted.status, scripted.headers, scripted.body}
                  : kind == Kind::kEndlessBody ? Answer{200, {}, ""}
                                               : act(request);
  if (kind == Kind::kHangAfter) hang(connection);
  if (kind == Kind::kHangAfter || kind == Kind::kLostReply) return false;
  if (kind == Kind::kShortBody) answer.body.resize(answer.body.size() / 2);
  std::string head = fmt::format("HTTP/1.1 {} Scripted\r\nDate: {}\r\n", answer.status, http_date());
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  if (kind == Kind::kEndlessBody) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (kind != Kind::kNoLength && answer.status != 204) {
    head += fmt::format("Content-Length: {}\r\n", answer.body.size());
  }
  head += "\r\n";
  if (kind == Kind::kTruncatedBody) answer.body.resize(answer.body.size() / 2);
  if (request.method != "HEAD") head += answer.body;
  if (!connection.write_all(head, kWriteTimeout).has_value()) return false;
  while (kind == Kind::kEndlessBody && !stopping_) {
    if (!connection.write_all("400\r\n" + std::string(1024, 'x') + "\r\n", kWriteTimeout).has_value()) return false;
  }
  return kind != Kind::kTruncatedBody && kind != Kind::kNoLength;
}

}  // namespace anclora::storage

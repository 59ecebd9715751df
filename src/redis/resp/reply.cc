#include "redis/resp/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/whole_number.h"

namespace anclora::redis {
namespace {

template <class Words>
Bytes build(const Words& words) {
  std::size_t size = 16;
  for (const auto& word : words) size += word.size() + 24;
  Bytes out;
  out.reserve(size);
  out.append("*").append(std::to_string(words.size())).append("\r\n");
  for (const auto& word : words) {
    out.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
  }
  return out;
}

Result<std::int64_t> to_integer(std::string_view text) {
  const auto value = whole_number<std::int64_t>(text);
  if (!value) return Error(ErrorKind::kDataLoss, "a reply has a bad number");
  return *value;
}

}  // namespace

Bytes build_command(std::span<const std::string_view> words) { return build(words); }
Bytes build_command(std::span<const std::string> words) { return build(words); }
Bytes build_command(std::initializer_list<std::string_view> words) { return build(words); }

std::string_view Reply::error_code() const {
  if (!is_error()) return {};
  return std::string_view(text).substr(0, text.find(' '));
}

std::vector<std::string> Reply::texts() const {
  std::vector<std::string> all;
  all.reserve(elements.size());
  for (const Reply& element : elements) {
    all.push_back(element.type == Type::kInteger ? std::to_string(element.integer) : element.text);
  }
  return all;
}

const Reply* Reply::field(std::string_view name) const {
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
    if (elements[i].text == name) return &elements[i + 1];
  }
  return nullptr;
}

Result<std::size_t> ReplyParser::feed(ByteView chunk) {
  std::size_t at = 0;
  while (at < chunk.size() && !ready_) {
    if (in_bulk_) {
      const std::size_t take = std::min<std::uint64_t>(bulk_left_, chunk.size() - at);
      bulk_.append(chunk.substr(at, take));
      at += take;
      bulk_left_ -= take;
      if (bulk_left_ > 0) break;
      if (!bulk_.ends_with("\r\n")) return Error(ErrorKind::kDataLoss, "a reply is longer than its length");
      bulk_.resize(bulk_.size() - 2);
      in_bulk_ = false;
      Reply reply;
      reply.type = Reply::Type::kBulk;
      reply.text = std::move(bulk_);
      bulk_.clear();
      add(std::move(reply));
      continue;
    }
    const std::size_t line_end = chunk.find('\n', at);
    const std::size_t stop = line_end == ByteView::npos ? chunk.size() : line_end + 1;
    bytes_ += stop - at;
    line_.append(chunk.substr(at, stop - at));
    at = stop;
    if (!line_.empty() && std::strchr("+-:$*", line_[0]) == nullptr) {
      return Error(ErrorKind::kDataLoss, "the answer is not Redis's protocol");
    }
    if (line_.size() > limits_.line_bytes) return Error(ErrorKind::kResourceExhausted, "a reply has an endless line");
    if (line_end != ByteView::npos) RETURN_IF_ERROR(take_line());
  }
  return at;
}

Status ReplyParser::take_line() {
  if (line_.size() < 3 || line_[line_.size() - 2] != '\r') {
    return Error(ErrorKind::kDataLoss, "the answer is not Redis's protocol");
  }
  const std::string line = std::exchange(line_, {});
  const std::string_view rest = std::string_view(line).substr(1, line.size() - 3);
  Reply reply;
  if (line[0] == '$' || line[0] == '*') {
    ASSIGN_OR_RETURN(const std::int64_t length, to_integer(rest));
    return line[0] == '$' ? begin_bulk(length) : begin_array(length);
  }
  if (line[0] == ':') {
    reply.type = Reply::Type::kInteger;
    ASSIGN_OR_RETURN(reply.integer, to_integer(rest));
  } else {
    reply.type = line[0] == '+' ? Reply::Type::kSimple : Reply::Type::kError;
    reply.text = rest;
  }
  add(std::move(reply));
  return {};
}

Status ReplyParser::begin_bulk(std::int64_t length) {
  if (length < -1) return Error(ErrorKind::kDataLoss, "a reply has a negative length");
  if (length == -1) {
    add(Reply{});
    return {};
  }
  if (static_cast<std::uint64_t>(length) > limits_.bytes - std::min(limits_.bytes, bytes_)) {
    return Error(ErrorKind::kResourceExhausted,
                 fmt::format("a reply of {} bytes is beyond the limit of {} bytes", length, limits_.bytes));
  }
  bytes_ += static_cast<std::size_t>(length);
  in_bulk_ = true;
  bulk_left_ = static_cast<std::uint64_t>(length) + 2;
  return {};
}

Status ReplyParser::begin_array(std::int64_t length) {
  if (length < -1) return Error(ErrorKind::kDataLoss, "a reply has a negative length");
  Reply reply;
  if (length == -1) {
    add(std::move(reply));
    return {};
  }
  reply.type = Reply::Type::kArray;
  if (length == 0) {
    add(std::move(reply));
    return {};
  }
  // An element takes few bytes on the wire but a whole Reply in memory, hence the division.
  const std::uint64_t count = static_cast<std::uint64_t>(length);
  const std::uint64_t most = limits_.bytes / sizeof(Reply);
  if (open_.size() >= limits_.depth || count > most - elements_) {
    return Error(ErrorKind::kResourceExhausted, "a reply has too many or too deeply nested elements");
  }
  elements_ += count;
  open_.push_back({std::move(reply), count});
  return {};
}

void ReplyParser::add(Reply reply) {
  while (!open_.empty()) {
    Open& array = open_.back();
    array.reply.elements.push_back(std::move(reply));
    if (--array.left > 0) return;
    reply = std::move(array.reply);
    open_.pop_back();
  }
  done_ = std::move(reply);
  ready_ = true;
}

Reply ReplyParser::take() {
  ready_ = false;
  bytes_ = 0;
  elements_ = 0;
  return std::exchange(done_, {});
}

}  // namespace anclora::redis

#include "storage/repository/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

namespace anclora::storage {
namespace {

using Json = nlohmann::json;

struct Refusal {
  std::string message;
};

// Takes the elements of long lists out of the document while it is parsed.
class ListTaker {
 public:
  explicit ListTaker(const std::vector<LongList>& lists) : lists_(lists) {}

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    constexpr int kMember = 1, kElement = 2;
    if (depth == kMember && event == Json::parse_event_t::key) {
      const std::string name = parsed.get<std::string>();
      const auto at = std::ranges::find_if(lists_, [&](const LongList& list) { return name == list.name; });
      current_ = at == lists_.end() ? nullptr : &*at;
    }
    if (current_ == nullptr || depth != kElement || event != Json::parse_event_t::object_end) return true;
    try {
      if (!refusal) current_->take(parsed);
    } catch (...) {
      refusal = std::current_exception();
    }
    return false;
  }

  std::exception_ptr refusal;

 private:
  const std::vector<LongList>& lists_;
  const LongList* current_ = nullptr;
};

}  // namespace

void refuse_document(std::string message) { throw Refusal{std::move(message)}; }

Status read_document(ByteView text, std::string_view what, const std::function<void(const Json&)>& read) {
  return read_document(text, what, {}, read);
}

Status read_document(ByteView text, std::string_view what, const std::vector<LongList>& lists,
                     const std::function<void(const Json&)>& read) {
  try {
    ListTaker taker(lists);
    const Json::parser_callback_t callback = lists.empty() ? Json::parser_callback_t() : std::ref(taker);
    const Json document = Json::parse(text.begin(), text.end(), callback, false);
    if (!document.is_object()) return Error(ErrorKind::kDataLoss, fmt::format("{} is not a JSON object", what));
    read(document);
    if (taker.refusal) std::rethrow_exception(taker.refusal);
    return {};
  } catch (const Refusal& refusal) {
    return Error(ErrorKind::kDataLoss, fmt::format("{}: {}", what, refusal.message));
  } catch (const Json::exception& error) {
    return Error(ErrorKind::kDataLoss, fmt::format("{}: {}", what, error.what()));
  }
}

bool has_member(const Json& object, const char* name) { return object.is_object() && object.contains(name); }

const Json& member(const Json& object, const char* name) {
  if (!has_member(object, name)) refuse_document(fmt::format("field \"{}\" is missing", name));
  return object.at(name);
}

std::uint64_t number_of(const Json& object, const char* name, std::uint64_t limit) {
  const Json& value = member(object, name);
  if (!value.is_number_unsigned()) refuse_document(fmt::format("field \"{}\" is not a whole number", name));
  const auto number = value.get<std::uint64_t>();
  if (number > limit) refuse_document(fmt::format("field \"{}\" is too large", name));
  return number;
}

std::uint32_t number32_of(const Json& object, const char* name) {
  return static_cast<std::uint32_t>(number_of(object, name, UINT32_MAX));
}

std::string text_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_string()) refuse_document(fmt::format("field \"{}\" is not a string", name));
  return value.get<std::string>();
}

bool flag_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_boolean()) refuse_document(fmt::format("field \"{}\" is not true or false", name));
  return value.get<bool>();
}

WallTime time_of(const Json& object, const char* name) {
  Result<WallTime> time = parse_rfc3339(text_of(object, name));
  if (!time) refuse_document(fmt::format("field \"{}\" is not a time", name));
  return *time;
}

Hash256 hash_of(const Json& object, const char* name) {
  Result<Bytes> bytes = from_hex(text_of(object, name));
  Hash256 hash{};
  if (!bytes || bytes->size() != hash.size()) refuse_document(fmt::format("field \"{}\" is not a hash", name));
  // One spelling only: a document is compared byte for byte with what it says.
  if (to_hex(*bytes) != text_of(object, name)) refuse_document(fmt::format("field \"{}\" is not a hash", name));
  std::transform(bytes->begin(), bytes->end(), hash.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return hash;
}

redis::Offset offset_of(const Json& object, const char* name) {
  return redis::Offset{number_of(object, name, INT64_MAX)};
}

const Json& list_of(const Json& object, const char* name) {
  static const Json empty = Json::array();
  if (!has_member(object, name)) return empty;
  const Json& value = object.at(name);
  if (!value.is_array()) refuse_document(fmt::format("field \"{}\" is not a list", name));
  return value;
}

std::string document_text(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string document_text(Json document, const std::vector<ListToWrite>& lists) {
  constexpr std::size_t kElementBytes = 512;  // a guess that is seldom too small: growing would hold the text twice
  std::string text;
  std::size_t elements = 0;
  for (const ListToWrite& list : lists) {
    if (list.size > 0) document[list.name] = nullptr;  // its place among the sorted keys
    elements += list.size;
  }
  text.reserve(elements * kElementBytes);
  char separator = '{';
  for (const auto& [key, value] : document.items()) {
    text += separator + document_text(Json(key)) + ":";
    separator = ',';
    const auto list =
        std::ranges::find_if(lists, [&](const ListToWrite& each) { return each.size > 0 && each.name == key; });
    if (list == lists.end()) {
      text += document_text(value);
      continue;
    }
    for (std::size_t i = 0; i < list->size; ++i) text += (i == 0 ? "[" : ",") + document_text(list->element(i));
    text += "]";
  }
  if (document.empty()) text = "{";
  text += "}";
  return text;
}

}  // namespace anclora::storage

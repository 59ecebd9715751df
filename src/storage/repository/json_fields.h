// Reading the JSON documents of a repository, which may be anything: wrong types and missing fields are kDataLoss.
// For the .cc files of this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "redis/offset.h"

namespace anclora::storage {

// Parses `text` and hands its object to `read`, which uses the functions below. kDataLoss naming `what` and the field.
Status read_document(ByteView text, std::string_view what, const std::function<void(const nlohmann::json&)>& read);

// The same for a document with long lists: the elements of such a member (the objects among them) are handed over one
// by one and not kept, before `read` is given the rest. What `take` refuses is told after what `read` refuses.
struct LongList {
  const char* name;
  std::function<void(const nlohmann::json& element)> take;
};
Status read_document(ByteView text, std::string_view what, const std::vector<LongList>& lists,
                     const std::function<void(const nlohmann::json&)>& read);

// The functions below are for use inside `read` and `take` only: they throw what read_document() catches.
[[noreturn]] void refuse_document(std::string message);
const nlohmann::json& member(const nlohmann::json& object, const char* name);
bool has_member(const nlohmann::json& object, const char* name);
std::uint64_t number_of(const nlohmann::json& object, const char* name, std::uint64_t limit = UINT64_MAX);
std::uint32_t number32_of(const nlohmann::json& object, const char* name);
std::string text_of(const nlohmann::json& object, const char* name);
bool flag_of(const nlohmann::json& object, const char* name);
WallTime time_of(const nlohmann::json& object, const char* name);
Hash256 hash_of(const nlohmann::json& object, const char* name);
redis::Offset offset_of(const nlohmann::json& object, const char* name);
const nlohmann::json& list_of(const nlohmann::json& object, const char* name);  // an array; missing: an empty one

// The text of a document: one line, keys sorted. Bytes that are no UTF-8 are replaced.
std::string document_text(const nlohmann::json& document);
// The same text with long lists as further members (empty ones are left out), made element by element.
struct ListToWrite {
  std::string name;
  std::size_t size = 0;
  std::function<nlohmann::json(std::size_t at)> element;
};
std::string document_text(nlohmann::json document, const std::vector<ListToWrite>& lists);

}  // namespace anclora::storage

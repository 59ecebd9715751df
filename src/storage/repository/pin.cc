#include "storage/repository/pin.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "storage/repository/json_fields.h"
#include "storage/repository/sealed_object.h"
#include "storage/store/object_name.h"

namespace anclora::storage {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxPinNameBytes = 63;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

Status check_pin_name(std::string_view name) {
  bool good = !name.empty() && name.size() <= kMaxPinNameBytes && is_alphanumeric(name.front());
  for (char c : name) good = good && (is_alphanumeric(c) || c == '.' || c == '_' || c == '-');
  if (good) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" cannot name a tag", printable_name(name)),
               "use 1 to 63 of letters, digits, '.', '_' and '-', beginning with a letter or digit");
}

Bytes encode(const Pin& pin) {
  Json json = {{"format", 1},
               {"name", pin.name},
               {"timeline", pin.position.timeline.value},
               {"offset", pin.position.offset.value},
               {"time", format_rfc3339(pin.time)},
               {"created", format_rfc3339(pin.created)},
               {"note", pin.note}};
  if (pin.expires) json["expires"] = format_rfc3339(*pin.expires);
  return document_text(json);
}

Result<Pin> decode(ByteView content, std::string_view object) {
  Pin pin;
  RETURN_IF_ERROR(read_document(content, object, [&](const Json& json) {
    if (number_of(json, "format") != 1) refuse_document("written by a newer release of anclora: install that");
    pin.name = text_of(json, "name");
    pin.position = {TimelineId{number32_of(json, "timeline")}, offset_of(json, "offset")};
    pin.time = time_of(json, "time");
    pin.created = time_of(json, "created");
    pin.note = text_of(json, "note");
    if (has_member(json, "expires")) pin.expires = time_of(json, "expires");
  }));
  return pin;
}

}  // namespace

Status write_pin(AppendStore& store, const Repository& repository, std::string_view source, const Pin& pin,
                 Random& random) {
  RETURN_IF_ERROR(check_pin_name(pin.name));
  ASSIGN_OR_RETURN(const bool mine,
                   create_sealed(store, repository, layout::pin(source, pin.name), encode(pin), random));
  if (mine) return {};
  return Error(ErrorKind::kAlreadyExists, fmt::format("{} already has a tag {}", source, pin.name),
               "choose another name: a tag is never moved");
}

Result<Pin> read_pin(ReadStore& store, const Repository& repository, std::string_view source, std::string_view name) {
  RETURN_IF_ERROR(check_pin_name(name));
  const std::string object = layout::pin(source, name);
  Result<Bytes> content = read_sealed(store, repository, object);
  if (!content && content.error().kind() == ErrorKind::kNotFound)
    return Error(ErrorKind::kNotFound, fmt::format("{} has no tag {}", source, name),
                 "anclora tag --list shows its tags");
  if (!content) return content.error();
  ASSIGN_OR_RETURN(Pin pin, decode(*content, object));
  if (pin.name != name) return Error(ErrorKind::kDataLoss, object + " holds another tag");
  return pin;
}

Result<std::vector<std::string>> displaced_pins(ReadStore& store, std::string_view source) {
  const std::string prefix = layout::pin_prefix(source);
  ASSIGN_OR_RETURN(const Listing listing, store.list(prefix, true));
  std::vector<std::string> displaced;
  const auto take = [&](std::string name) {
    if (name.ends_with('/')) name.pop_back();
    const bool a_pins_place = name.starts_with(prefix) && check_pin_name(name.substr(prefix.size())).has_value();
    // In an object store a whole tag may have others' objects "below" it.
    const bool is_there = std::ranges::find(listing.objects, name, &ObjectInfo::name) != listing.objects.end();
    if (a_pins_place && !is_there) displaced.push_back(std::move(name));
  };
  for (const std::string& folder : listing.prefixes) take(folder);
  for (const std::string& other : listing.foreign) take(other);
  // Behind a link, or a file, in place of their folder none of them is seen.
  ASSIGN_OR_RETURN(const Listing above, store.list(layout::source_prefix(source), true));
  const std::string folder = prefix.substr(0, prefix.size() - 1);
  if (std::ranges::find(above.foreign, folder) != above.foreign.end() ||
      std::ranges::find(above.objects, folder, &ObjectInfo::name) != above.objects.end())
    displaced.push_back(folder);
  return displaced;
}

Result<std::vector<Pin>> list_pins(ReadStore& store, const Repository& repository, std::string_view source) {
  const std::string prefix = layout::pin_prefix(source);
  ASSIGN_OR_RETURN(const Listing listing, store.list(prefix, true));
  ASSIGN_OR_RETURN(const std::vector<std::string> displaced, displaced_pins(store, source));
  if (!displaced.empty())
    return Error(ErrorKind::kDataLoss, fmt::format("{}: {}", displaced.front(), kDisplacedPin),
                 std::string(kDisplacedPinHint));
  std::vector<Pin> pins;
  for (const ObjectInfo& object : listing.objects) {
    Result<Pin> pin = read_pin(store, repository, source, object.name.substr(prefix.size()));
    if (!pin && pin.error().kind() == ErrorKind::kInvalidArgument) continue;  // foreign
    if (!pin) return pin.error();
    pins.push_back(std::move(*pin));
  }
  return pins;
}

}  // namespace anclora::storage

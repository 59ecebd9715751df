#include "storage/store/listing_builder.h"

#include <algorithm>

#include "storage/store/object_name.h"

namespace anclora::storage {

void ListingBuilder::add(ObjectInfo object) {
  if (!is_object_name(object.name)) return add_foreign(object.name);
  const std::size_t slash = delimited_ ? object.name.find('/', prefix_.size()) : std::string::npos;
  if (slash == std::string::npos) {
    objects_.push_back(std::move(object));
  } else {
    prefixes_.insert(object.name.substr(0, slash + 1));
  }
}

void ListingBuilder::add_prefix(std::string prefix) {
  if (!prefix.ends_with('/') || !is_object_name(std::string_view(prefix).substr(0, prefix.size() - 1))) {
    return add_foreign(prefix);
  }
  prefixes_.insert(std::move(prefix));
}

void ListingBuilder::add_foreign(std::string_view name) { foreign_.insert(printable_name(name)); }

Listing ListingBuilder::take() {
  std::ranges::sort(objects_, {}, &ObjectInfo::name);
  return Listing{std::move(objects_), {prefixes_.begin(), prefixes_.end()}, {foreign_.begin(), foreign_.end()}};
}

}  // namespace anclora::storage

#include "storage/store/memory_store.h"

#include <fmt/format.h>

#include "storage/store/listing_builder.h"
#include "storage/store/object_name.h"

namespace anclora::storage {

Result<MemoryStore::Object> MemoryStore::find(std::string_view name) {
  RETURN_IF_ERROR(check_object_name(name));
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(name);
  if (at == objects_.end()) return Error(ErrorKind::kNotFound, fmt::format("no object {} in {}", name, describe()));
  return at->second;
}

Result<Bytes> MemoryStore::get(std::string_view name, std::uint64_t limit_bytes) {
  ASSIGN_OR_RETURN(const Object object, find(name));
  if (object.bytes->size() > limit_bytes) {
    return Error(ErrorKind::kResourceExhausted, fmt::format("object {} in {} has {} bytes, more than the limit of {}",
                                                            name, describe(), object.bytes->size(), limit_bytes));
  }
  return Bytes(*object.bytes);
}

Result<Bytes> MemoryStore::get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) {
  ASSIGN_OR_RETURN(const Object object, find(name));
  const std::uint64_t whole = object.bytes->size();
  if (offset > whole || size > whole - offset) {
    return Error(ErrorKind::kDataLoss, fmt::format("object {} in {} has {} bytes; {} bytes at {} were asked for", name,
                                                   describe(), whole, size, offset));
  }
  return object.bytes->substr(offset, size);
}

Result<ObjectInfo> MemoryStore::head(std::string_view name) {
  ASSIGN_OR_RETURN(const Object object, find(name));
  return ObjectInfo{std::string(name), object.bytes->size(), object.modified};
}

Result<Listing> MemoryStore::list(std::string_view prefix, bool delimited) {
  RETURN_IF_ERROR(check_list_prefix(prefix));
  const std::lock_guard lock(mutex_);
  ListingBuilder builder(prefix, delimited);
  for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at) {
    builder.add({at->first, at->second.bytes->size(), at->second.modified});
  }
  return builder.take();
}

Result<PutOutcome> MemoryStore::put_if_absent(std::string_view name, const Body& body) {
  RETURN_IF_ERROR(check_object_name(name));
  ASSIGN_OR_RETURN(Bytes bytes, body.read(0, body.size_bytes()));
  const std::lock_guard lock(mutex_);
  const bool created =
      objects_.try_emplace(std::string(name), std::make_shared<const Bytes>(std::move(bytes)), clock_.wall_now())
          .second;
  return created ? PutOutcome::kCreated : PutOutcome::kExists;
}

Status MemoryStore::remove(std::string_view name) {
  RETURN_IF_ERROR(check_object_name(name));
  const std::lock_guard lock(mutex_);
  if (const auto at = objects_.find(name); at != objects_.end()) objects_.erase(at);
  return {};
}

void MemoryStore::overwrite(std::string_view name, Bytes bytes) {
  const std::lock_guard lock(mutex_);
  objects_[std::string(name)] = Object{std::make_shared<const Bytes>(std::move(bytes)), clock_.wall_now()};
}

}  // namespace anclora::storage

#include "storage/repository/record.h"

#include <fmt/format.h>

#include "storage/repository/sealed_object.h"
#include "storage/store/object_name.h"

namespace anclora::storage {
namespace {

Result<std::string> record_name(std::string_view kind, std::string_view id) {
  if (is_object_name_component(kind) && is_object_name_component(id)) return layout::record(kind, id);
  return Error(ErrorKind::kInvalidArgument,
               fmt::format("\"{}/{}\" cannot name a record", printable_name(kind), printable_name(id)));
}

}  // namespace

Status write_record(AppendStore& store, const Repository& repository, std::string_view kind, std::string_view id,
                    ByteView json, Random& random) {
  ASSIGN_OR_RETURN(const std::string name, record_name(kind, id));
  ASSIGN_OR_RETURN(const bool mine, create_sealed(store, repository, name, json, random));
  if (mine) return {};
  return Error(ErrorKind::kAlreadyExists, name + " was written before");
}

Result<std::vector<std::string>> list_records(ReadStore& store, std::string_view kind) {
  ASSIGN_OR_RETURN(const std::string prefix, record_name(kind, "x"));
  const std::string folder = prefix.substr(0, prefix.size() - 1);
  ASSIGN_OR_RETURN(const Listing listing, store.list(folder, true));
  std::vector<std::string> ids;
  ids.reserve(listing.objects.size());
  for (const ObjectInfo& object : listing.objects) ids.push_back(object.name.substr(folder.size()));
  return ids;
}

Result<Bytes> read_record(ReadStore& store, const Repository& repository, std::string_view kind, std::string_view id) {
  ASSIGN_OR_RETURN(const std::string name, record_name(kind, id));
  return read_sealed(store, repository, name);
}

}  // namespace anclora::storage

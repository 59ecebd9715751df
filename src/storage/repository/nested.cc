#include "storage/repository/nested.h"

#include <deque>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "storage/repository/repository.h"

namespace anclora::storage {
namespace {

struct Place {
  bool repository = false;
  std::vector<std::string> below;  // relative to the root, without a slash at the end
};

// `look` answers a Result<Place> for a path relative to the root.
Result<BelowSearch> search(const auto& look, std::size_t limit) {
  BelowSearch result;
  std::deque<std::string> waiting = {""};
  for (std::size_t looked = 0; !waiting.empty(); ++looked) {
    if (looked == limit) {
      result.cut_short = true;
      break;
    }
    const std::string path = std::move(waiting.front());
    waiting.pop_front();
    ASSIGN_OR_RETURN(Place place, look(path));
    if (place.repository) {
      if (!path.empty()) result.found = path;
      break;
    }
    for (std::string& below : place.below) waiting.push_back(std::move(below));
  }
  return result;
}

// What `get` answered for an object of that name: only a failure that says nothing about it is one.
Result<bool> judge(const Result<Bytes>& config) {
  if (config) return is_repository_config(*config);
  switch (config.error().kind()) {
    case ErrorKind::kNotFound:
    case ErrorKind::kPermissionDenied:
    case ErrorKind::kResourceExhausted:  // far too large for one
      return false;
    default:
      return config.error();
  }
}

Result<Place> look_into(ReadStore& store, const std::string& path) {
  const std::string prefix = path.empty() ? "" : path + "/";
  const auto listing = store.list(prefix, true);
  if (!listing && listing.error().kind() == ErrorKind::kPermissionDenied) return Place{};
  if (!listing) return listing.error();
  Place place;
  for (const ObjectInfo& object : listing->objects) {
    if (object.name != prefix + layout::config()) continue;
    ASSIGN_OR_RETURN(place.repository, judge(store.get(object.name, kMiB)));
  }
  for (const std::string& below : listing->prefixes) place.below.push_back(below.substr(0, below.size() - 1));
  return place;
}

}  // namespace

bool is_repository_config(ByteView text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_object() && json.value("type", nlohmann::json()) == "anclora repository";
}

Result<bool> holds_repository(ReadStore& store) { return judge(store.get(layout::config(), kMiB)); }

bool holds_repository(FileSystem& files, const std::string& folder) {
  const auto config = files.read_all(folder + "/" + layout::config(), kMiB);
  return config && is_repository_config(*config);
}

Result<BelowSearch> repository_below(ReadStore& store, std::size_t limit) {
  return search([&](const std::string& path) { return look_into(store, path); }, limit);
}

BelowSearch repository_below(FileSystem& files, const std::string& folder, std::size_t limit) {
  const auto look = [&](const std::string& path) -> Result<Place> {
    const std::string here = path.empty() ? folder : folder + "/" + path;
    Place place;
    place.repository = holds_repository(files, here);
    const auto entries = files.list(here);
    if (!entries) return place;  // not there, or not for this user
    for (const FileInfo& entry : *entries)
      if (entry.is_directory) place.below.push_back(path.empty() ? entry.name : path + "/" + entry.name);
    return place;
  };
  return search(look, limit).value_or(BelowSearch{});
}

}  // namespace anclora::storage

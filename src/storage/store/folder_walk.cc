#include "storage/store/folder_walk.h"

#include "storage/store/listing_builder.h"
#include "storage/store/object_name.h"

namespace anclora::storage {
namespace {

class FolderWalk {
 public:
  FolderWalk(FileSystem& files, const std::string& root, std::string_view prefix, bool delimited)
      : files_(files), root_(root), prefix_(prefix), delimited_(delimited), builder_(prefix, delimited) {}

  Result<Listing> run() {
    const std::size_t slash = prefix_.rfind('/');
    const std::string start = slash == std::string_view::npos ? "" : std::string(prefix_.substr(0, slash));
    ASSIGN_OR_RETURN(const bool reachable, no_link_on_the_way(start));
    if (reachable) pending_.push_back(start);
    while (!pending_.empty()) {
      const std::string directory = std::move(pending_.back());
      pending_.pop_back();
      RETURN_IF_ERROR(read(directory));
    }
    return builder_.take();
  }

 private:
  Result<bool> no_link_on_the_way(const std::string& directory) {
    for (std::size_t end = directory.find('/'); !directory.empty(); end = directory.find('/', end + 1)) {
      const auto info = files_.stat(root_ + "/" + directory.substr(0, end));
      if (!info.has_value() && info.error().kind() != ErrorKind::kNotFound) return info.error();
      if (!info.has_value() || !info->is_directory) return false;
      if (end == std::string::npos) break;
    }
    return true;
  }

  Status read(const std::string& directory) {
    const auto entries = files_.list(directory.empty() ? root_ : root_ + "/" + directory);
    if (!entries.has_value()) {
      if (entries.error().kind() == ErrorKind::kNotFound) return {};
      return entries.error();
    }
    for (const FileInfo& entry : *entries) {
      if (directory.empty() && entry.name == "~tmp") continue;
      RETURN_IF_ERROR(take(directory.empty() ? entry.name : directory + "/" + entry.name, entry));
    }
    return {};
  }

  Status take(const std::string& name, const FileInfo& entry) {
    const bool may_lead_there = name.starts_with(prefix_) || prefix_.starts_with(name + "/");
    if (!may_lead_there) return {};
    if (!is_object_name(name) || !(entry.is_directory || entry.is_regular)) {
      builder_.add_foreign(name);
      return {};
    }
    if (entry.is_regular) {
      builder_.add({name, entry.size_bytes, entry.modified});
      return {};
    }
    if (!delimited_) {
      pending_.push_back(name);
      return {};
    }
    ASSIGN_OR_RETURN(const bool filled, holds_an_object(name));
    if (filled)
      builder_.add_prefix(name + "/");
    else
      builder_.add_foreign(name + "/");
    return {};
  }

  // An object store has no empty directories, so none is among what is ours.
  Result<bool> holds_an_object(const std::string& directory) {
    std::vector<std::string> pending{directory};
    while (!pending.empty()) {
      const std::string at = std::move(pending.back());
      pending.pop_back();
      const auto entries = files_.list(root_ + "/" + at);
      if (!entries.has_value() && entries.error().kind() == ErrorKind::kNotFound) continue;
      if (!entries.has_value()) return entries.error();
      for (const FileInfo& entry : *entries) {
        const std::string name = at + "/" + entry.name;
        if (!is_object_name(name)) continue;
        if (entry.is_regular) return true;
        if (entry.is_directory) pending.push_back(name);
      }
    }
    return false;
  }

  FileSystem& files_;
  const std::string& root_;
  std::string_view prefix_;
  bool delimited_;
  ListingBuilder builder_;
  std::vector<std::string> pending_;
};

}  // namespace

Result<Listing> walk_folder(FileSystem& files, const std::string& root, std::string_view prefix, bool delimited) {
  return FolderWalk(files, root, prefix, delimited).run();
}

}  // namespace anclora::storage

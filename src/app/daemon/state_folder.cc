#include "app/daemon/state_folder.h"

#include <unistd.h>

#include <filesystem>

#include "base/bytes.h"

namespace anclora::app {

std::string state_root(const std::function<std::optional<std::string>(const std::string&)>& environment) {
  for (const char* name : {"ANCLORA_STATE_DIR", "STATE_DIRECTORY"})
    if (const auto folder = environment(name); folder && !folder->empty()) return *folder;
  if (::geteuid() == 0) return "/var/lib/anclora";
  if (const auto folder = environment("XDG_STATE_HOME"); folder && !folder->empty()) return *folder + "/anclora";
  return environment("HOME").value_or("/tmp") + "/.local/state/anclora";
}

std::string place_of(const std::string& repository_url) {
  std::string place = repository_url;
  if (place.starts_with("file://")) place.erase(0, 7);
  if (!place.starts_with("s3://")) {
    std::error_code failed;
    const std::filesystem::path whole = std::filesystem::weakly_canonical(place, failed);
    if (!failed) place = whole.string();
  }
  return place;
}

std::string state_folder(const std::function<std::optional<std::string>(const std::string&)>& environment,
                         const std::string& repository_url, const std::string& source) {
  // The id of the repository is not known while its store is away, so its place stands for it.
  return state_root(environment) + "/" + to_hex(hash256(place_of(repository_url))).substr(0, 16) + "/" + source;
}

std::string target_record_folder(const std::function<std::optional<std::string>(const std::string&)>& environment) {
  return state_root(environment) + "/targets";
}

std::string mirror_note_folder(const std::function<std::optional<std::string>(const std::string&)>& environment) {
  return state_root(environment) + "/mirrors";
}

std::string notify_limit_file(const std::function<std::optional<std::string>(const std::string&)>& environment) {
  return state_root(environment) + "/notify/limit.json";
}

}  // namespace anclora::app

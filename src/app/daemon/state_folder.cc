#include "app/daemon/state_folder.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "base/bytes.h"

namespace anclora::app {

std::string home_folder(const std::function<std::optional<std::string>(const std::string&)>& environment) {
  if (const auto home = environment("HOME"); home && !home->empty()) return *home;
  passwd account{};
  passwd* found = nullptr;
  std::array<char, 16384> names{};
  if (::getpwuid_r(::geteuid(), &account, names.data(), names.size(), &found) != 0 || found == nullptr)
    return "/nonexistent";
  return found->pw_dir;
}

std::string state_root(const std::function<std::optional<std::string>(const std::string&)>& environment) {
  for (const char* name : {"ANCLORA_STATE_DIR", "STATE_DIRECTORY"})
    if (const auto folder = environment(name); folder && !folder->empty()) return *folder;
  if (::geteuid() == 0) return "/var/lib/anclora";
  if (const auto folder = environment("XDG_STATE_HOME"); folder && !folder->empty()) return *folder + "/anclora";
  return home_folder(environment) + "/.local/state/anclora";
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

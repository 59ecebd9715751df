// Where capture keeps its outbox when no folder is named, and restore what it changed.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace anclora::app {

// $HOME, else the account's own, else one that cannot be made: never a place that all may write to.
std::string home_folder(const std::function<std::optional<std::string>(const std::string&)>& environment);

// The folder of everything that this machine keeps: as below, without the repository and the source.
std::string state_root(const std::function<std::optional<std::string>(const std::string&)>& environment);

// $ANCLORA_STATE_DIR, else systemd's $STATE_DIRECTORY, else /var/lib/anclora for root, else
// $XDG_STATE_HOME/anclora (~/.local/state/anclora); below it one folder for each repository and source.
std::string state_folder(const std::function<std::optional<std::string>(const std::string&)>& environment,
                         const std::string& repository_url, const std::string& source);

// Where restores keep what they change on their targets, in the same root.
std::string target_record_folder(const std::function<std::optional<std::string>(const std::string&)>& environment);

// Likewise: where `anclora mirror` notes how far it has come.
std::string mirror_note_folder(const std::function<std::optional<std::string>(const std::string&)>& environment);
// Likewise: the file in which all processes count what people were told.
std::string notify_limit_file(const std::function<std::optional<std::string>(const std::string&)>& environment);
// One name for a repository's place, however it was typed.
std::string place_of(const std::string& repository_url);

}  // namespace anclora::app

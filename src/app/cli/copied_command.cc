#include "app/cli/copied_command.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string_view>

#include "app/daemon/state_folder.h"
#include "base/printable.h"

namespace anclora::app {
namespace {

// These open the repository that the plan or --repo names; `restore` is a case of its own.
constexpr std::array<std::string_view, 9> kWithRepository = {
    "anclora run start", "anclora run resume",  "anclora run undo",       "anclora run abort",      "anclora run clean",
    "anclora drill run", "anclora drill clean", "anclora incident close", "anclora incident export"};

std::string whole_path(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path whole = std::filesystem::absolute(path, failed);
  return failed ? path : whole.string();
}

}  // namespace

CopiedCommands::CopiedCommands(const CommandContext& context) {
  const GlobalOptions& options = context.options;
  const auto told = [&](const std::string& value, const char* variable) {
    return !value.empty() && context.environment(variable) != value;
  };
  const auto add = [&](std::string_view option, const std::string& value) {
    if (!value.empty()) access_ += fmt::format("{} {} ", option, shell_word(value));
  };
  if (!options.repo.empty()) {
    const std::string path = options.repo.starts_with("file://") ? options.repo.substr(7) : options.repo;
    as_given_ = fmt::format("--repo {} ", shell_word(path));
    as_place_ = fmt::format("--repo {} ", shell_word(place_of(options.repo)));
  }
  if (told(options.repo, "ANCLORA_REPO")) repo_ = as_place_;
  if (told(options.passphrase_file, "ANCLORA_PASSPHRASE_FILE"))
    add("--passphrase-file", whole_path(options.passphrase_file));
  if (!options.recovery_key_file.empty()) add("--recovery-key-file", whole_path(options.recovery_key_file));
  add("--s3-endpoint", options.s3_endpoint);
  add("--s3-region", options.s3_region);
  if (!options.s3_ca_file.empty()) add("--s3-ca-file", whole_path(options.s3_ca_file));
  if (options.s3_path_style) access_ += "--s3-path-style ";
}

std::string CopiedCommands::complete(std::string text) const {
  complete_restores(text);
  for (const std::string_view command : kWithRepository) complete_others(text, command);
  return text;
}

void CopiedCommands::complete_restores(std::string& text) const {
  constexpr std::string_view kRestore = "anclora restore ";
  for (std::size_t at = text.find(kRestore); at != std::string::npos; at = text.find(kRestore, at)) {
    at += kRestore.size();
    const std::string_view rest = std::string_view(text).substr(at);
    const bool whole = rest.starts_with("--at ") || rest.starts_with("--name ") || rest.starts_with("--repo ");
    if (!whole) continue;  // --undo needs no repository; --help is no restore
    const bool as_given = !as_given_.empty() && rest.starts_with(as_given_);
    const std::string words = as_given ? as_place_ + access_ : rest.starts_with("--repo ") ? access_ : repo_ + access_;
    text.replace(at, as_given ? as_given_.size() : 0, words);
    at += words.size();
  }
}

void CopiedCommands::complete_others(std::string& text, std::string_view command) const {
  for (std::size_t at = text.find(command); at != std::string::npos; at = text.find(command, at)) {
    at += command.size();
    const std::string_view rest = std::string_view(text).substr(at);
    const std::string_view line = rest.substr(0, rest.find_first_of("\n;"));
    const bool longer_word =
        !line.empty() && line.front() != ' ' && std::string_view(";,.)").find(line.front()) == std::string_view::npos;
    if (longer_word || line.starts_with(" --help") || line.find("--repo ") != std::string_view::npos) continue;
    std::string words = " " + repo_ + access_;
    words.pop_back();  // each option ends with a space
    text.insert(at, words);
    at += words.size();
  }
}

}  // namespace anclora::app

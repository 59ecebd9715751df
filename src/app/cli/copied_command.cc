#include "app/cli/copied_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>

#include "app/daemon/state_folder.h"
#include "base/printable.h"

namespace anclora::app {
namespace {

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
  if (told(options.repo, "ANCLORA_REPO")) repo_ = fmt::format("--repo {} ", shell_word(place_of(options.repo)));
  if (told(options.passphrase_file, "ANCLORA_PASSPHRASE_FILE"))
    add("--passphrase-file", whole_path(options.passphrase_file));
  if (!options.recovery_key_file.empty()) add("--recovery-key-file", whole_path(options.recovery_key_file));
  add("--s3-endpoint", options.s3_endpoint);
  add("--s3-region", options.s3_region);
  if (!options.s3_ca_file.empty()) add("--s3-ca-file", whole_path(options.s3_ca_file));
  if (options.s3_path_style) access_ += "--s3-path-style ";
}

std::string CopiedCommands::complete(std::string text) const {
  constexpr std::string_view kRestore = "anclora restore ";
  for (std::size_t at = text.find(kRestore); at != std::string::npos; at = text.find(kRestore, at)) {
    at += kRestore.size();
    const std::string_view rest = std::string_view(text).substr(at);
    const bool whole = rest.starts_with("--at ") || rest.starts_with("--name ") || rest.starts_with("--repo ");
    if (!whole) continue;  // --undo needs no repository; --help is no restore
    const std::string words = rest.starts_with("--repo ") ? access_ : repo_ + access_;
    text.insert(at, words);
    at += words.size();
  }
  return text;
}

}  // namespace anclora::app

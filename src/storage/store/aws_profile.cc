#include "storage/store/aws_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace anclora::storage {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1 * kMiB;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

struct Section {
  bool found = false;
  std::map<std::string, Secret> settings;
};

// `wanted` are the section headings that mean the profile.
Result<Section> read_section(FileSystem& files, const std::string& path, const std::vector<std::string>& wanted) {
  Section section;
  if (path.empty()) return section;
  const auto text = files.read_all(path, kMaxFileBytes);
  if (!text.has_value()) {
    if (text.error().kind() == ErrorKind::kNotFound) return section;
    return text.error();
  }
  bool inside = false;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const std::string_view whole = std::string_view(*text).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    const std::string_view line = trimmed(whole);
    // An indented line belongs to a nested setting (s3 = ...), of which none concerns us.
    if (line.empty() || line[0] == '#' || line[0] == ';' || whole[0] == ' ' || whole[0] == '\t') continue;
    if (line[0] == '[') {
      if (line.back() != ']') {
        return Error(ErrorKind::kInvalidArgument, fmt::format("{}:{}: a section heading has no ]", path, number));
      }
      const std::string heading(trimmed(line.substr(1, line.size() - 2)));
      inside = std::ranges::find(wanted, heading) != wanted.end();
      section.found = section.found || inside;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return Error(ErrorKind::kInvalidArgument, fmt::format("{}:{}: expected \"name = value\"", path, number));
    }
    if (!inside) continue;
    section.settings[std::string(trimmed(line.substr(0, equals)))] =
        Secret(std::string(trimmed(line.substr(equals + 1))));
  }
  return section;
}

}  // namespace

std::string AwsProfile::setting(const std::string& key) const {
  for (const auto* settings : {&credentials, &config}) {
    if (const auto at = settings->find(key); at != settings->end()) return at->second.reveal();
  }
  return "";
}

Result<AwsProfile> read_aws_profile(const Environment& environment, FileSystem& files) {
  AwsProfile profile;
  const auto chosen = environment("AWS_PROFILE");
  const bool asked_for = chosen.has_value() && !chosen->empty();
  profile.name = asked_for ? *chosen : environment("AWS_DEFAULT_PROFILE").value_or("default");
  if (profile.name.empty()) profile.name = "default";
  const std::string home = environment("HOME").value_or("");
  const std::string folder = home.empty() ? "" : home + "/.aws";
  profile.credentials_path =
      environment("AWS_SHARED_CREDENTIALS_FILE").value_or(folder.empty() ? "" : folder + "/credentials");
  profile.config_path = environment("AWS_CONFIG_FILE").value_or(folder.empty() ? "" : folder + "/config");
  ASSIGN_OR_RETURN(Section credentials, read_section(files, profile.credentials_path, {profile.name}));
  std::vector<std::string> headings = {"profile " + profile.name};
  if (profile.name == "default") headings.emplace_back("default");
  ASSIGN_OR_RETURN(Section config, read_section(files, profile.config_path, headings));
  if (asked_for && !credentials.found && !config.found) {
    return Error(ErrorKind::kFailedPrecondition,
                 fmt::format("AWS_PROFILE is {}, but neither {} nor {} has that profile", profile.name,
                             profile.credentials_path, profile.config_path),
                 "unset AWS_PROFILE, or add the profile with `aws configure --profile " + profile.name + "`");
  }
  profile.credentials = std::move(credentials.settings);
  profile.config = std::move(config.settings);
  return profile;
}

}  // namespace anclora::storage

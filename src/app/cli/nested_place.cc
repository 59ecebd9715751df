#include "app/cli/nested_place.h"

#include <fmt/format.h>

#include <ostream>

#include "app/cli/inside_repository.h"
#include "app/daemon/state_folder.h"
#include "storage/repository/nested.h"

namespace anclora::app {
namespace {

constexpr std::size_t kPrefixesLimit = 200;  // one request each
constexpr std::size_t kFoldersLimit = 2000;
constexpr std::string_view kS3 = "s3://";

constexpr std::string_view kBeside = "choose a place beside it; several sources go into one repository: capture --name";

Status judge_below(const CommandContext& context, const std::string& place, const storage::BelowSearch& below) {
  if (below.found)
    return Error(ErrorKind::kFailedPrecondition,
                 fmt::format("the repository {}/{} lies inside {}", place, *below.found, place),
                 "choose a place beside it, such as an empty one of its own");
  if (below.cut_short)
    context.err << "note: there is much below " << place
                << "; only the nearest of it was searched for another repository\n";
  return {};
}

Status refuse_nested_folder(const CommandContext& context, const std::string& repo, const std::string& place) {
  RETURN_IF_ERROR(refuse_inside_repository(context.files, repo, std::string(kBeside)));
  return judge_below(context, place, storage::repository_below(context.files, place, kFoldersLimit));
}

Status refuse_nested_prefix(const CommandContext& context, std::string place) {
  while (place.ends_with('/')) place.pop_back();
  ASSIGN_OR_RETURN(const auto store, context.open_store(place));
  for (std::size_t slash = place.rfind('/'); slash != std::string::npos && slash > kS3.size();
       slash = place.rfind('/', slash - 1)) {
    const std::string outer = place.substr(0, slash);
    ASSIGN_OR_RETURN(const auto around, context.open_store(outer));
    ASSIGN_OR_RETURN(const bool repository, storage::holds_repository(*around));
    if (repository)
      return Error(ErrorKind::kFailedPrecondition, fmt::format("{} lies inside the repository {}", place, outer),
                   std::string(kBeside));
  }
  ASSIGN_OR_RETURN(const storage::BelowSearch below, storage::repository_below(*store, kPrefixesLimit));
  return judge_below(context, place, below);
}

}  // namespace

Status refuse_nested_place(const CommandContext& context, const std::string& repo) {
  if (repo.empty()) return {};  // told better by who opens it
  const std::string place = place_of(repo);
  return place.starts_with(kS3) ? refuse_nested_prefix(context, place) : refuse_nested_folder(context, repo, place);
}

}  // namespace anclora::app

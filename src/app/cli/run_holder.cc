#include "app/cli/run_holder.h"

#include "app/cli/run_site.h"
#include "app/daemon/state_folder.h"
#include "base/write_file.h"

namespace anclora::app {
namespace {

constexpr std::size_t kIdBytes = 16;
constexpr std::uint64_t kLongestFile = 256;

Result<std::string> read_place(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(std::string id, files.read_all(path, kLongestFile));
  while (id.ends_with('\n')) id.pop_back();
  if (!id.empty()) return id;
  return Error(ErrorKind::kDataLoss, path + " is empty", "remove it: the next command makes another");
}

// Two first commands at once: the one whose name it gets first is believed by both.
Status make_place(const CommandContext& context, const std::string& folder, const std::string& path) {
  RETURN_IF_ERROR(context.files.create_directories(folder));
  const std::string id = to_hex(context.random.bytes(kIdBytes));
  const std::string draft = path + ".new-" + id;
  RETURN_IF_ERROR(write_file(context.files, draft, id + "\n"));
  const Status linked = context.files.link(draft, path);
  RETURN_IF_ERROR(context.files.remove(draft));
  if (!linked && linked.error().kind() != ErrorKind::kAlreadyExists) return linked;
  return context.files.sync_directory(folder);
}

}  // namespace

Result<respond::RunHolder> run_holder(const CommandContext& context) {
  const std::string folder = state_root(context.environment), path = folder + "/place-id";
  auto place = read_place(context.files, path);
  if (!place && place.error().kind() == ErrorKind::kNotFound) {
    RETURN_IF_ERROR(make_place(context, folder, path));
    place = read_place(context.files, path);
  }
  if (!place) return place.error();
  return respond::RunHolder{runner_name(), *place};
}

}  // namespace anclora::app

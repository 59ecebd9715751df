#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/write_file.h"
#include "respond/runbook/run_request.h"

namespace anclora::respond {
namespace {

constexpr std::uint64_t kMaxRequestBytes = 32 * kKiB;
constexpr std::size_t kMaxWaiting = 1000;
constexpr std::string_view kSuffix = ".json";
constexpr RequestKind kKinds[] = {RequestKind::kApprove, RequestKind::kRefuse, RequestKind::kSkip, RequestKind::kDone,
                                  RequestKind::kRetry,   RequestKind::kUndo,   RequestKind::kAbort};

Result<RunRequest> decode(ByteView bytes, std::string id) {
  try {
    const auto json = nlohmann::json::parse(bytes);
    RunRequest request;
    request.id = std::move(id);
    const auto name = json.at("kind").get<std::string>();
    const auto kind = std::ranges::find_if(kKinds, [&](RequestKind known) { return to_string(known) == name; });
    if (kind == std::end(kKinds)) return Error(ErrorKind::kUnsupported, "no such request: " + name);
    request.kind = *kind;
    request.step = json.value("step", "");
    request.contact = json.value("contact", "");
    request.text = json.value("text", "");
    return request;
  } catch (const nlohmann::json::exception& error) {
    return Error(ErrorKind::kDataLoss, std::string("no request: ") + error.what());
  }
}

}  // namespace

std::string_view to_string(RequestKind kind) {
  switch (kind) {
    case RequestKind::kApprove:
      return "approve";
    case RequestKind::kRefuse:
      return "refuse";
    case RequestKind::kSkip:
      return "skip";
    case RequestKind::kDone:
      return "done";
    case RequestKind::kRetry:
      return "retry";
    case RequestKind::kUndo:
      return "undo";
    case RequestKind::kAbort:
      break;
  }
  return "abort";
}

std::string inbox_folder(const std::string& run_folder) { return run_folder + "/inbox"; }

Result<std::string> submit_request(FileSystem& files, const std::string& folder, RunRequest request, Clock& clock,
                                   Random& random) {
  if (request.text.size() > kMaxRecordText)
    return Error(ErrorKind::kInvalidArgument, fmt::format("longer than {}", format_size(kMaxRecordText)));
  request.id = fmt::format("{:020}-{}", clock.wall_now().time_since_epoch().count(), to_hex(random.bytes(4)));
  nlohmann::ordered_json json = {
      {"kind", to_string(request.kind)}, {"step", request.step}, {"contact", request.contact}, {"text", request.text}};
  const std::string inbox = inbox_folder(folder);
  const std::string unfinished = inbox + "/" + request.id + ".new";
  RETURN_IF_ERROR(
      write_file(files, unfinished, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
  RETURN_IF_ERROR(files.rename(unfinished, inbox + "/" + request.id + std::string(kSuffix)));
  RETURN_IF_ERROR(files.sync_directory(inbox));
  return request.id;
}

Result<Inbox> read_inbox(FileSystem& files, const std::string& folder) {
  Inbox inbox;
  ASSIGN_OR_RETURN(const std::vector<FileInfo> entries, files.list(inbox_folder(folder)));
  for (const FileInfo& entry : entries) {
    if (!entry.name.ends_with(kSuffix) || !entry.is_regular) continue;
    if (inbox.requests.size() + inbox.foreign.size() >= kMaxWaiting) break;
    const std::string id = entry.name.substr(0, entry.name.size() - kSuffix.size());
    auto bytes = files.read_all(inbox_folder(folder) + "/" + entry.name, kMaxRequestBytes);
    if (!bytes && bytes.error().kind() == ErrorKind::kCancelled) return bytes.error();
    Result<RunRequest> request = bytes ? decode(*bytes, id) : Result<RunRequest>(bytes.error());
    if (request)
      inbox.requests.push_back(std::move(*request));
    else
      inbox.foreign.push_back(entry.name);
  }
  return inbox;
}

Status remove_request(FileSystem& files, const std::string& folder, const std::string& id) {
  const Status removed = files.remove(inbox_folder(folder) + "/" + id + std::string(kSuffix));
  if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed.error();
  return {};
}

}  // namespace anclora::respond

#include "app/daemon/mirror_note.h"

#include <nlohmann/json.hpp>

#include "base/write_file.h"

namespace anclora::app {
namespace {

constexpr std::uint64_t kMaxNoteBytes = kMiB;
constexpr std::string_view kSuffix = ".json";

Result<MirrorNote> note_of(ByteView bytes) {
  const Error damaged(ErrorKind::kDataLoss, "the note of a mirror is damaged");
  const auto json = nlohmann::json::parse(bytes, nullptr, false);
  if (!json.is_object()) return damaged;
  try {
    MirrorNote note;
    note.from = json.at("from").get<std::string>();
    note.to = json.at("to").get<std::string>();
    ASSIGN_OR_RETURN(note.as_of, parse_rfc3339(json.at("as_of").get<std::string>()));
    for (const auto& [source, entry] : json.at("newest").items())
      note.newest[source] = {entry.at("timeline").get<std::uint32_t>(), entry.at("sequence").get<std::uint64_t>()};
    return note;
  } catch (const nlohmann::json::exception&) {
    return damaged;
  }
}

}  // namespace

Status write_mirror_note(FileSystem& files, const std::string& folder, const MirrorNote& note) {
  nlohmann::ordered_json newest = nlohmann::ordered_json::object();
  for (const auto& [source, entry] : note.newest)
    newest[source] = {{"timeline", entry.timeline}, {"sequence", entry.sequence}};
  const nlohmann::ordered_json json = {
      {"from", note.from}, {"to", note.to}, {"as_of", format_rfc3339(note.as_of)}, {"newest", std::move(newest)}};
  const std::string path =
      folder + "/" + to_hex(hash256(note.from + "\n" + note.to)).substr(0, 16) + std::string(kSuffix);
  RETURN_IF_ERROR(files.create_directories(folder));
  return replace_file(files, path, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<std::vector<MirrorNote>> mirror_notes_about(FileSystem& files, const std::string& folder,
                                                   const std::string& place) {
  std::vector<MirrorNote> notes;
  const auto names = files.list(folder);
  if (!names) {
    if (names.error().kind() == ErrorKind::kNotFound) return notes;
    return names.error();
  }
  for (const FileInfo& info : *names) {
    if (!info.is_regular || !info.name.ends_with(kSuffix)) continue;
    const auto bytes = files.read_all(folder + "/" + info.name, kMaxNoteBytes);
    if (!bytes) continue;
    auto note = note_of(*bytes);
    if (note && (note->from == place || note->to == place)) notes.push_back(std::move(*note));
  }
  return notes;
}

}  // namespace anclora::app

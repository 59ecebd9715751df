#include "respond/incident/audit_export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/write_file.h"
#include "respond/incident/incident_log.h"
#include "respond/runbook/chained_line.h"

namespace anclora::respond {
namespace {

constexpr std::uint64_t kMaxFileBytes = 64 * kMiB;
constexpr std::size_t kHashesInALine = 400;

constexpr std::string_view kReadme = R"(An incident, exported by Anclora DR for whoever must prove it.

incident/              the incident's journal and the plan that stood when it was opened
runs/RUN/              the journal of each recovery, and the plan that it was frozen to
manifest.jsonl         the hash of every file and of every line

Proof with the product:    anclora incident verify THIS
Proof without it:          python3 verify_audit.py THIS    (a short script of the product's documentation, no library)

Proof by hand, with GNU coreutils. Hashes are BLAKE2b-256.
1. A file, against "hash" of its line in manifest.jsonl:
     b2sum -l 256 incident/journal-000001.jsonl
2. A line of a journal or of the manifest: its "hash" is that of its bytes before ,"hash":
     sed -n 2p incident/journal-000001.jsonl | sed 's/,"hash":"[0-9a-f]*"}$//' | tr -d '\n' | b2sum -l 256
3. The chain: "prev" of each line is "hash" of the line before it, also from one segment (journal-000001.jsonl, ...) to
   the next; in the first line it is all zeros. "n" counts from 1 without holes.
4. Nothing but README.txt, manifest.jsonl and the files that the manifest names stands here.

The manifest's last "hash" stands for all of it. Whoever can write these files could write them all anew, and could cut
lines off the end: that shows only against this hash kept elsewhere, as it was told when the export was made, or against
the repository (anclora incident verify THIS --repo REPO), where the incident's length and hash were noted.
)";

// Lines of the manifest, chained as a journal's.
class Manifest {
 public:
  explicit Manifest(WallTime now) : now_(now) {}
  void add(std::string_view kind, std::map<std::string, std::string> fields, std::string text = {}) {
    ChainedLine line;
    line.fields = std::move(fields);
    line.text = std::move(text);
    line.number = ++number_;
    line.time = now_;
    bytes_ += encode_line(line, kind, tip_, tip_) + "\n";
  }
  const Bytes& bytes() const { return bytes_; }
  std::string tip() const { return to_hex(tip_); }

 private:
  const WallTime now_;
  std::uint64_t number_ = 0;
  Hash256 tip_{};
  Bytes bytes_;
};

void add_file(Manifest& manifest, const std::string& path, const Bytes& content) {
  manifest.add("export.file",
               {{"path", path}, {"size", std::to_string(content.size())}, {"hash", to_hex(hash256(content))}});
  const std::vector<std::string> hashes = line_hashes(content);
  for (std::size_t first = 0; first < hashes.size(); first += kHashesInALine) {
    const auto begin = hashes.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = hashes.begin() + static_cast<std::ptrdiff_t>(std::min(hashes.size(), first + kHashesInALine));
    manifest.add("export.lines", {{"path", path},
                                  {"first", std::to_string(first + 1)},
                                  {"hashes", fmt::format("{}", fmt::join(begin, end, " "))}});
  }
}

// The plan and all segments of a journal's folder.
Status take_folder(FileSystem& files, const std::string& folder, const std::string& as, ArchiveFiles& taken) {
  ASSIGN_OR_RETURN(taken[as + "/plan.yaml"], files.read_all(folder + "/plan.yaml", kMaxFileBytes));
  for (std::uint64_t segment = 1; segment <= kMaxSegments; ++segment) {
    const std::string path = segment_path(folder, segment);
    if (!files.stat(path)) break;
    ASSIGN_OR_RETURN(taken[segment_path(as, segment)], files.read_all(path, kMaxFileBytes));
  }
  return {};
}

}  // namespace

std::vector<std::string> line_hashes(ByteView content) {
  std::vector<std::string> hashes;
  while (!content.empty()) {
    const std::size_t end = content.find('\n');
    hashes.push_back(to_hex(hash256(content.substr(0, end))).substr(0, 8));
    content.remove_prefix(end == ByteView::npos ? content.size() : end + 1);
  }
  return hashes;
}

Result<AuditExport> make_audit_export(FileSystem& files, const std::string& incident_folder,
                                      const std::vector<ExportedRun>& runs, std::string_view version, WallTime now) {
  AuditExport exported;
  std::string id = incident_folder.substr(incident_folder.find_last_of('/') + 1);
  // Others may append meanwhile: what is taken must end where the manifest says.
  auto journal = read_incident(files, incident_folder);
  while (true) {
    RETURN_IF_ERROR(take_folder(files, incident_folder, std::string(kIncidentFolder), exported.files));
    auto after = read_incident(files, incident_folder);
    const bool same = !after || (journal && journal->count == after->count);
    journal = std::move(after);
    if (same) break;
  }
  if (journal) {
    exported.incident_tip = to_hex(journal->tip);
    exported.incident_records = journal->count;
  }
  Manifest manifest(now);
  manifest.add("export.begun", {{"incident", id},
                                {"version", std::string(version)},
                                {"incident_tip", exported.incident_tip},
                                {"incident_records", std::to_string(exported.incident_records)}});
  for (const ExportedRun& run : runs) {
    const std::string as = fmt::format("{}/{}", kRunsFolder, run.run);
    const Status taken = take_folder(files, run.folder, as, exported.files);
    if (taken) continue;
    if (taken.error().kind() != ErrorKind::kNotFound) return taken.error();
    std::erase_if(exported.files, [&](const auto& file) { return file.first.starts_with(as + "/"); });
    exported.missing.push_back(run.run);
    manifest.add("export.missing", {{"run", run.run}}, "its journal was not on the machine of the export");
  }
  exported.files.emplace(kReadmeName, kReadme);
  for (const auto& [path, content] : exported.files) add_file(manifest, path, content);
  manifest.add("export.finished", {{"files", std::to_string(exported.files.size())}});
  exported.tip = manifest.tip();
  exported.files.emplace(kManifestName, manifest.bytes());
  return exported;
}

Status write_audit_export(FileSystem& files, const AuditExport& exported, const std::string& out, WallTime now) {
  if (files.stat(out)) return Error(ErrorKind::kAlreadyExists, out + " is there already", "name another --out");
  if (out.ends_with(".tar")) {
    ASSIGN_OR_RETURN(const Bytes archive, write_tar(exported.files, now));
    RETURN_IF_ERROR(write_file(files, out, archive));
    return files.sync_directory(parent_folder(out));
  }
  std::set<std::string> folders = {out};
  for (const auto& [path, content] : exported.files) {
    const std::string folder = parent_folder(out + "/" + path);
    RETURN_IF_ERROR(files.create_directories(folder));
    RETURN_IF_ERROR(write_file(files, out + "/" + path, content));
    folders.insert(folder);
  }
  for (const std::string& folder : folders) RETURN_IF_ERROR(files.sync_directory(folder));
  return files.sync_directory(parent_folder(out));
}

}  // namespace anclora::respond

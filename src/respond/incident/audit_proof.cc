#include "respond/incident/audit_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/memory_file_system.h"
#include "respond/incident/incident_log.h"
#include "respond/runbook/run_journal.h"

namespace anclora::respond {
namespace {

struct Listed {
  std::string hash;
  std::vector<std::string> lines;
};

struct Manifest {
  std::map<std::string, Listed> files;
  std::optional<WallTime> time;
  std::optional<std::string> count;  // of files, by its last line
};

class Prover {
 public:
  Prover(const ArchiveFiles& files, AuditProof& proof) : files_(files), proof_(proof) {}

  Manifest read_manifest();
  void compare_files(const Manifest& manifest);
  void prove_chains();

 private:
  void find(const std::string& path, std::size_t line, std::string what) {
    proof_.findings.push_back({path, line, std::move(what)});
  }
  void take_line(Manifest& manifest, const DecodedLine& decoded);
  void compare_lines(const std::string& path, ByteView content, const std::vector<std::string>& wanted);
  void compare_plan(const std::string& folder, const std::string& hash);
  void prove_incident(FileSystem& disk);
  void prove_run(FileSystem& disk, const std::string& run);
  void tell(const std::string& folder, const Error& error);

  const ArchiveFiles& files_;
  AuditProof& proof_;
  std::vector<std::string> linked_;
};

void Prover::take_line(Manifest& manifest, const DecodedLine& decoded) {
  const ChainedLine& line = decoded.line;
  if (decoded.kind == "export.begun") {
    proof_.incident = line.field("incident");
    proof_.version = line.field("version");
    proof_.incident_tip = line.field("incident_tip");
    manifest.time = line.time;
  } else if (decoded.kind == "export.missing") {
    proof_.missing.push_back(line.field("run"));
  } else if (decoded.kind == "export.file") {
    manifest.files[line.field("path")].hash = line.field("hash");
  } else if (decoded.kind == "export.lines") {
    const std::string hashes = line.field("hashes");
    std::string_view rest = hashes;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      manifest.files[line.field("path")].lines.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  } else if (decoded.kind == "export.finished") {
    manifest.count = line.field("files");
  }
}

Manifest Prover::read_manifest() {
  Manifest manifest;
  const std::string name(kManifestName);
  const auto found = files_.find(name);
  if (found == files_.end()) {
    find(name, 0, "missing: without it nothing can be proved");
    return manifest;
  }
  Hash256 tip{};
  std::size_t number = 0;
  for (std::string_view rest = found->second; !rest.empty();) {
    ++number;
    const std::size_t end = rest.find('\n');
    const auto decoded = decode_line(rest.substr(0, end));
    if (!decoded) {
      find(name, number, decoded.error().message());
      return manifest;  // what follows is not to be trusted
    }
    if (decoded->previous != tip || decoded->line.number != number)
      find(name, number, "it does not follow the line before it: a line was removed, added or moved");
    if (manifest.count) find(name, number, "added after the end");
    if (end == std::string_view::npos) find(name, number, "its newline is missing");
    tip = decoded->hash;
    take_line(manifest, *decoded);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  if (!manifest.count) find(name, number + 1, "cut: the end of the manifest is missing");
  if (manifest.count && *manifest.count != std::to_string(manifest.files.size()))
    find(name, number, "it does not name as many files as it says");
  proof_.tip = to_hex(tip);
  return manifest;
}

void Prover::compare_lines(const std::string& path, ByteView content, const std::vector<std::string>& wanted) {
  const std::vector<std::string> there = line_hashes(content);
  const std::size_t shared = std::min(there.size(), wanted.size());
  std::size_t first = 0, last = 0;  // of the same lines, from the beginning and from the end
  while (first < shared && there[first] == wanted[first]) ++first;
  while (last < shared - first && there[there.size() - 1 - last] == wanted[wanted.size() - 1 - last]) ++last;
  const std::size_t now = there.size() - first - last, before = wanted.size() - first - last;
  if (now == 0 && before == 0) return find(path, there.size(), "its last newline was changed, removed or added");
  if (before == 0) return find(path, first + 1, fmt::format("{} lines were added from here on", now));
  if (now == 0) return find(path, first + 1, fmt::format("{} lines were removed here", before));
  for (std::size_t i = first; i < first + std::min(now, before); ++i) {
    if (there[i] == wanted[i]) continue;
    const bool moved = std::ranges::find(wanted, there[i]) != wanted.end();
    find(path, i + 1, moved ? "moved: another line stood here" : "changed");
  }
  if (now > before) find(path, first + before + 1, fmt::format("{} lines were added from here on", now - before));
  if (now < before) find(path, first + now + 1, fmt::format("{} lines were removed here", before - now));
}

void Prover::compare_files(const Manifest& manifest) {
  for (const auto& [path, listed] : manifest.files) {
    const auto found = files_.find(path);
    if (found == files_.end())
      find(path, 0, "removed: the manifest names it");
    else if (to_hex(hash256(found->second)) != listed.hash)
      compare_lines(path, found->second, listed.lines);
  }
  for (const auto& [path, content] : files_)
    if (path != kManifestName && !manifest.files.contains(path)) find(path, 0, "added: the manifest does not name it");
  proof_.files = manifest.files.size();
}

// "/incident/journal-000001.jsonl:2: why", as the journals' reader says it.
void Prover::tell(const std::string& folder, const Error& error) {
  const std::string& message = error.message();
  if (!message.starts_with("/")) return find(folder, 0, message);
  const std::size_t colon = message.find(':');
  const std::string path = message.substr(1, colon == std::string::npos ? colon : colon - 1);
  std::size_t line = 0;
  const char* begin = message.data() + std::min(colon + 1, message.size());
  const auto parsed = std::from_chars(begin, message.data() + message.size(), line);
  std::string why = line == 0 ? message : std::string(parsed.ptr, message.data() + message.size());
  if (why.starts_with(": ")) why.erase(0, 2);
  find(path, line, "the chain breaks: " + why);
}

void Prover::compare_plan(const std::string& folder, const std::string& hash) {
  const auto plan = files_.find(folder + "/plan.yaml");
  if (plan == files_.end() || to_hex(hash256(plan->second)) != hash)
    find(folder + "/plan.yaml", 0, "it is not the plan that the journal was begun with");
}

void Prover::prove_incident(FileSystem& disk) {
  const std::string folder(kIncidentFolder);
  const auto content = read_incident(disk, "/" + folder);
  if (!content) return tell(folder, content.error());
  proof_.incident_records = content->count;
  for (const std::string& line : content->lines)
    if (const auto decoded = decode_line(line)) proof_.incident_hashes.push_back(to_hex(decoded->hash));
  if (to_hex(content->tip) != proof_.incident_tip)
    find(folder, 0, "its journal does not end where it ended when it was exported");
  if (content->state.id != proof_.incident) find(folder, 0, "it is the journal of " + content->state.id);
  compare_plan(folder, content->state.plan_hash);
  for (const LinkedRun& run : content->state.runs) linked_.push_back(run.run);
}

void Prover::prove_run(FileSystem& disk, const std::string& run) {
  const std::string folder = std::string(kRunsFolder) + "/" + run;
  const auto journal = read_journal(disk, "/" + folder);
  if (!journal && journal.error().kind() == ErrorKind::kNotFound) {
    if (std::ranges::find(proof_.missing, run) == proof_.missing.end())
      find(folder, 0, "the journal of a linked run is missing");
    return;
  }
  if (!journal) return tell(folder, journal.error());
  ++proof_.runs;
  if (journal->records.empty()) return find(folder, 0, "its journal is empty");
  compare_plan(folder, journal->records.front().field("plan_hash"));
}

void Prover::prove_chains() {
  ManualClock clock;
  MemoryFileSystem disk(clock);
  for (const auto& [path, content] : files_) {
    const std::size_t slash = path.find_last_of('/');
    const auto planted = [&]() -> Status {
      if (slash != std::string::npos) RETURN_IF_ERROR(disk.create_directories("/" + path.substr(0, slash)));
      ASSIGN_OR_RETURN(const auto file, disk.create("/" + path));
      return file->append(content);
    }();
    if (!planted) find(path, 0, planted.error().message());
  }
  prove_incident(disk);
  for (const std::string& run : linked_) prove_run(disk, run);
}

Status read_folder(FileSystem& files, const std::string& root, const std::string& below, std::uint64_t& room,
                   ArchiveFiles& taken) {
  ASSIGN_OR_RETURN(const auto entries, files.list(below.empty() ? root : root + "/" + below));
  for (const FileInfo& entry : entries) {
    const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
    if (entry.is_directory) {
      if (std::ranges::count(path, '/') > 4)
        return Error(ErrorKind::kDataLoss, path + ": no export has so deep folders");
      RETURN_IF_ERROR(read_folder(files, root, path, room, taken));
      continue;
    }
    if (!entry.is_regular) return Error(ErrorKind::kDataLoss, path + " is no plain file: no export holds one");
    ASSIGN_OR_RETURN(taken[path], files.read_all(root + "/" + path, room));
    room -= taken[path].size();
  }
  return {};
}

}  // namespace

Result<ArchiveFiles> read_audit_export(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(const FileInfo info, files.stat(path));
  if (!info.is_directory) {
    ASSIGN_OR_RETURN(const Bytes archive, files.read_all(path, kMaxExportBytes));
    auto read = read_tar(archive);
    if (!read) return read.error().with_context(path);
    return read;
  }
  ArchiveFiles taken;
  std::uint64_t room = kMaxExportBytes;
  RETURN_IF_ERROR(read_folder(files, path, "", room, taken));
  return taken;
}

AuditProof prove_audit_export(const ArchiveFiles& files, ByteView archive) {
  AuditProof proof;
  Prover prover(files, proof);
  const Manifest manifest = prover.read_manifest();
  prover.compare_files(manifest);
  prover.prove_chains();
  if (archive.empty() || !manifest.time) return proof;
  const auto again = write_tar(files, *manifest.time);
  if (again && *again == archive) return proof;
  const auto differs = again ? std::ranges::mismatch(*again, archive).in2 - archive.begin() : 0;
  proof.findings.push_back({"(archive)", 0, fmt::format("byte {} is not as an export writes it", differs)});
  return proof;
}

}  // namespace anclora::respond

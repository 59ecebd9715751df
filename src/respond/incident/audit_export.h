// The audit export of an incident: its journal, those of its runs, the plans they were frozen to, and a manifest that
// chains the hashes of all of it. docs/formats/audit-export.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "respond/incident/tar_archive.h"

namespace anclora::respond {

inline constexpr std::string_view kManifestName = "manifest.jsonl";
inline constexpr std::string_view kReadmeName = "README.txt";
inline constexpr std::string_view kIncidentFolder = "incident";
inline constexpr std::string_view kRunsFolder = "runs";
inline constexpr std::uint64_t kMaxExportBytes = 512 * kMiB;

struct ExportedRun {
  std::string run;
  std::string folder;
};

struct AuditExport {
  ArchiveFiles files;
  std::string tip;           // hexadecimal: the hash of the manifest's last line, to be kept elsewhere
  std::string incident_tip;  // of the incident's journal
  std::uint64_t incident_records = 0;
  std::vector<std::string> missing;  // runs whose journal is not on this machine
};

// What stands in the folders now; damage is exported as it is, for the proof to show it. kNotFound when there is no
// such incident.
Result<AuditExport> make_audit_export(FileSystem& files, const std::string& incident_folder,
                                      const std::vector<ExportedRun>& runs, std::string_view version, WallTime now);

// As an archive when `out` ends in ".tar", else as a folder; durable. kAlreadyExists when there is one.
Status write_audit_export(FileSystem& files, const AuditExport& exported, const std::string& out, WallTime now);

// The first eight hexadecimal digits of each line's BLAKE2b-256, the lines without their newlines.
std::vector<std::string> line_hashes(ByteView content);

}  // namespace anclora::respond

// Proves an audit export: every byte against the manifest, every journal's chain, and that they belong together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "respond/incident/audit_export.h"

namespace anclora::respond {

struct AuditFinding {
  std::string path;
  std::size_t line = 0;  // 0: the whole file
  std::string what;
};

struct AuditProof {
  std::string incident, version;
  std::string tip;  // of the manifest, hexadecimal
  std::string incident_tip;
  std::uint64_t incident_records = 0;
  std::vector<std::string> incident_hashes;  // of each line of its journal, hexadecimal
  std::size_t files = 0, runs = 0;
  std::vector<std::string> missing;  // runs that the export says it lacks
  std::vector<AuditFinding> findings;
  bool whole() const { return findings.empty(); }
};

// From an archive or a folder, which may be on a foreign machine: nothing else is read. kDataLoss when it is neither.
Result<ArchiveFiles> read_audit_export(FileSystem& files, const std::string& path);
// For an archive its bytes besides: what differs from what an export writes is a finding.
AuditProof prove_audit_export(const ArchiveFiles& files, ByteView archive);

}  // namespace anclora::respond

// `incident export` and `incident verify`, and the incident's length noted in the repository.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/incident_site.h"
#include "app/cli/json_text.h"
#include "app/cli/run_site.h"
#include "app/version.h"
#include "respond/incident/audit_proof.h"
#include "respond/incident/incident_anchor.h"

namespace anclora::app {
namespace {

struct Arguments {
  std::string incident, out, file, tip;
};

Result<int> export_incident(CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string id, choose_incident(context, arguments.incident, false));
  ASSIGN_OR_RETURN(const StoredIncident stored, read_stored_incident(context, id));
  std::vector<respond::ExportedRun> runs;
  runs.reserve(stored.content.state.runs.size());
  for (const respond::LinkedRun& run : stored.content.state.runs)
    runs.push_back({run.run, runs_folder(context) + "/" + run.run});
  const WallTime now = context.clock.wall_now();
  ASSIGN_OR_RETURN(const auto exported, respond::make_audit_export(context.files, stored.folder, runs, kVersion, now));
  RETURN_IF_ERROR(respond::write_audit_export(context.files, exported, arguments.out, now));
  const bool noted = note_incident_in_repository(context, stored);
  for (const std::string& problem : stored.problems) context.err << "warning: " << problem << "\n";
  if (context.options.json) {
    context.out << json_text({{"incident", id},
                              {"out", arguments.out},
                              {"files", exported.files.size()},
                              {"runs", runs.size() - exported.missing.size()},
                              {"missing", exported.missing},
                              {"tip", exported.tip},
                              {"noted_in_repository", noted}});
    return 0;
  }
  context.out << fmt::format("{}: {} files\nit ends in {}\n", arguments.out, exported.files.size(), exported.tip)
              << fmt::format("keep this hash elsewhere; prove it: anclora incident verify {} --tip {}\n", arguments.out,
                             exported.tip);
  return 0;
}

// What only another place can tell: lines that were cut off the end, or everything written anew.
Status compare_with_elsewhere(CommandContext& context, const Arguments& arguments, respond::AuditProof& proof,
                              bool& compared) {
  if (!arguments.tip.empty() && arguments.tip != proof.tip)
    proof.findings.push_back({std::string(respond::kManifestName), 0, "it does not end in the hash given with --tip"});
  compared = !arguments.tip.empty();
  if (context.options.repo.empty()) return {};
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  ASSIGN_OR_RETURN(const auto anchors, respond::read_anchors(*store, repository, proof.incident));
  for (const respond::IncidentAnchor& anchor : anchors) {
    compared = true;
    if (anchor.records > proof.incident_hashes.size())
      proof.findings.push_back({"incident", proof.incident_hashes.size() + 1,
                                fmt::format("cut: the repository noted {} lines", anchor.records)});
    else if (anchor.records == 0 || proof.incident_hashes[anchor.records - 1] != anchor.hash)
      proof.findings.push_back({"incident", anchor.records, "another line than the repository noted"});
  }
  return {};
}

Result<int> verify(CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const respond::ArchiveFiles files, respond::read_audit_export(context.files, arguments.file));
  ASSIGN_OR_RETURN(const FileInfo info, context.files.stat(arguments.file));
  Bytes archive;
  if (!info.is_directory) {
    ASSIGN_OR_RETURN(archive, context.files.read_all(arguments.file, respond::kMaxExportBytes));
  }
  respond::AuditProof proof = respond::prove_audit_export(files, archive);
  bool compared = false;
  RETURN_IF_ERROR(compare_with_elsewhere(context, arguments, proof, compared));
  if (context.options.json) {
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    for (const respond::AuditFinding& each : proof.findings)
      findings.push_back({{"path", each.path}, {"line", each.line}, {"what", each.what}});
    context.out << json_text({{"whole", proof.whole()},
                              {"incident", proof.incident},
                              {"version", proof.version},
                              {"files", proof.files},
                              {"runs", proof.runs},
                              {"records", proof.incident_records},
                              {"missing", proof.missing},
                              {"tip", proof.tip},
                              {"compared_with_elsewhere", compared},
                              {"findings", findings}});
    return proof.whole() ? 0 : exit_code(ErrorKind::kDataLoss);
  }
  for (const respond::AuditFinding& each : proof.findings)
    context.out << (each.line == 0 ? fmt::format("{}: {}\n", each.path, each.what)
                                   : fmt::format("{}:{}: {}\n", each.path, each.line, each.what));
  for (const std::string& run : proof.missing) context.out << "it says itself that it lacks the run " << run << "\n";
  context.out << fmt::format("{}: {} files, {} runs, {} lines of {}; it ends in {}\n",
                             proof.whole() ? "whole" : "NOT AS IT WAS EXPORTED", proof.files, proof.runs,
                             proof.incident_records, proof.incident, proof.tip);
  if (proof.whole() && !compared)
    context.out << "that nothing was cut off its end shows against its hash kept elsewhere (--tip HASH), or --repo\n";
  return proof.whole() ? 0 : exit_code(ErrorKind::kDataLoss);
}

}  // namespace

bool note_incident_in_repository(CommandContext& context, const StoredIncident& stored) {
  const auto noted = [&]() -> Result<bool> {
    ASSIGN_OR_RETURN(const auto repository, open_run_repository(context, stored.plan, ""));
    if (!repository) return false;
    RETURN_IF_ERROR(respond::write_anchor(*repository->store, repository->repository, stored.content.state.id,
                                          {stored.content.count, to_hex(stored.content.tip), context.clock.wall_now()},
                                          context.random));
    return true;
  }();
  if (noted) return *noted;
  context.err << "warning: the incident's end is not noted in the repository: " << noted.error().message() << "\n";
  return false;
}

void add_incident_audit(CLI::App& incident, CommandContext& context) {
  const auto exported = std::make_shared<Arguments>();
  CLI::App* command = incident.add_subcommand("export", "all evidence in one file, for whoever must prove it");
  command->add_option("incident", exported->incident, "the incident's id (default: the newest open one)");
  command->add_option("--out", exported->out, "FILE.tar, or a folder that is created")->required();
  command->footer("Example: anclora incident export --out incident.tar");
  command->callback(
      [&context, exported] { context.action = [&context, exported] { return export_incident(context, *exported); }; });
  const auto proved = std::make_shared<Arguments>();
  command = incident.add_subcommand("verify", "prove an export: every byte, every chain; on any machine");
  command->add_option("file", proved->file, "the .tar or the folder")->required();
  command->add_option("--tip", proved->tip, "the hash that was told when the export was made");
  command->footer("Example: anclora incident verify incident.tar --tip HASH");
  command->callback([&context, proved] { context.action = [&context, proved] { return verify(context, *proved); }; });
}

}  // namespace anclora::app

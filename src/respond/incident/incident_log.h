// An incident on disk: `<state>/incidents/<id>/` with its journal and the plan that stood when it was opened. Several
// processes may append to one incident: each append holds the folder's lock and follows what others appended.
// docs/formats/incident-log.md.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "respond/incident/incident_record.h"
#include "respond/incident/incident_state.h"
#include "respond/runbook/journal_chain.h"

namespace anclora::respond {

struct IncidentContent : ChainEnd {
  std::vector<IncidentRecord> records;
  std::vector<std::string> lines;  // as written, one for each record
  IncidentState state;
};

// Reads and proves the chain; without a lock, so what is being appended at this moment counts as torn. kNotFound when
// the folder holds no incident; kDataLoss naming file and line for anything but a torn end of a segment.
Result<IncidentContent> read_incident(FileSystem& files, const std::string& folder);
// The plan as it was frozen at the opening.
Result<Bytes> read_incident_plan(FileSystem& files, const std::string& folder);
// Ids of all incidents below `root` (`<state>/incidents`), oldest first; empty when there is no such folder.
Result<std::vector<std::string>> list_incidents(FileSystem& files, const std::string& root);
// kInvalidArgument when it cannot name an incident.
Status check_incident_id(std::string_view id);

struct NewIncident {
  std::string scenario, severity, service;
  std::string plan_file;
  Bytes plan_bytes;
  std::string origin;     // "person", "run", "detection"
  std::string opened_by;  // a contact, empty for the product itself
  std::string text;
};

// What a log is lent; outlives it.
struct IncidentWorld {
  FileSystem& files;
  Clock& clock;
  Random& random;
};

// Thread rule: any thread.
class IncidentLog {
 public:
  // Opens the folder of an incident. kNotFound naming those there are.
  static Result<std::unique_ptr<IncidentLog>> open(IncidentWorld world, const std::string& root, const std::string& id);
  // The open incident of the same scenario and service, or a new one; two processes at once get the same one.
  static Result<std::unique_ptr<IncidentLog>> open_or_join(IncidentWorld world, const std::string& root,
                                                           const NewIncident& incident);
  // Always a new one. kAlreadyExists, naming it, while one of the same scenario and service is open.
  static Result<std::unique_ptr<IncidentLog>> begin(IncidentWorld world, const std::string& root,
                                                    const NewIncident& incident);

  // Durable when it returns. kFailedPrecondition when the record may not follow (see apply()); kUnavailable when
  // another process kept the lock for 10 s; other errors leave it open whether it was written: read and see.
  Result<IncidentRecord> append(IncidentRecord record);
  // The same for what `judge` makes of the newest state, under the lock: nothing, or records in this order.
  Result<std::vector<IncidentRecord>> append_judged(
      const std::function<Result<std::vector<IncidentRecord>>(const IncidentState&)>& judge);
  // With what others appended until now.
  Result<IncidentState> state();

  const std::string& id() const { return id_; }
  const std::string& folder() const { return folder_; }
  bool joined() const { return joined_; }  // open_or_join() found it open

 private:
  IncidentLog(IncidentWorld world, const std::string& root, std::string id)
      : world_(world), id_(std::move(id)), folder_(root + "/" + id_) {}
  static Result<std::unique_ptr<IncidentLog>> begin_locked(IncidentWorld world, const std::string& root,
                                                           const NewIncident& incident);
  Status catch_up();
  void forget();
  Status write(IncidentRecord& record);

  IncidentWorld world_;
  const std::string id_;
  const std::string folder_;
  bool joined_ = false;
  std::mutex mutex_;
  ChainEnd end_;                         // as far as it was read or written
  std::unique_ptr<ChainWriter> writer_;  // of segment end_.segments, when that is ours
  IncidentState state_;
};

}  // namespace anclora::respond

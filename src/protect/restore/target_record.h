// What a restore changes on a live target, kept on this machine until it is put back: a restore that was killed can be
// undone, or begun again. Format: docs/formats/target-record.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/socket.h"

namespace anclora::protect {

struct ChangedSetting {
  std::string name;
  Secret before;  // masterauth is among them
  Secret set;     // what the restore set it to
};

struct TargetRecord {
  std::string target;  // its URL, without a password
  std::string run_id;  // of the server's process: its settings last as long as that
  Endpoint address;    // where we served as its primary
  std::string point;   // what is restored, as a position
  WallTime started;
  bool held_data = false;  // before the restore began
  std::vector<ChangedSetting> settings;
};

Bytes encode_target_record(const TargetRecord& record);
// kDataLoss; kUnsupported for a newer version.
Result<TargetRecord> decode_target_record(ByteView bytes);

// The records of one folder. One thread; restores of other processes use the same folder.
class TargetRecords {
 public:
  TargetRecords(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  // Held while a restore into `target` runs. kFailedPrecondition: another one runs.
  Result<std::unique_ptr<FileLock>> lock(const std::string& target);
  // Durable when it returns; replaces the one of the same target. Hold its lock.
  Status write(const TargetRecord& record);
  // Ok when there is none.
  Status remove(const std::string& target);
  // All that can be read. One that cannot is left out: it says nothing about any target.
  Result<std::vector<TargetRecord>> list();

 private:
  std::string path_of(const std::string& target) const;

  FileSystem& files_;
  std::string folder_;
};

}  // namespace anclora::protect

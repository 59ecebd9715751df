// A repository: its configuration, its key, and the names of everything in it. docs/formats/repository.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/secret.h"
#include "storage/journal/frame_codec.h"
#include "storage/journal/position.h"
#include "storage/store/store.h"

namespace anclora::storage {

// A source's name: [a-z0-9][a-z0-9_-]{0,62}.
Status check_source_name(std::string_view name);

// The first checkpoint and each 60th after it (1, 61, 121, ...) are full: a reader needs at most 60.
inline constexpr std::uint64_t kFullCheckpointEvery = 60;

// Object names. Numbers are fixed-width decimal so that names sort as numbers do. `source` is a source's name, or
// "safety/<name>" for a copy taken of a target: the same objects, outside "sources/".
namespace layout {
std::string config();
std::string key_slot(std::string_view slot);
std::string source_prefix(std::string_view source);                         // "sources/<name>/"
std::string timeline_prefix(std::string_view source, TimelineId timeline);  // "sources/<name>/0000000001/"
std::string log_entry(std::string_view source, TimelineId timeline, std::uint64_t sequence);
std::string pack(std::string_view source, TimelineId timeline, std::uint64_t first, std::uint64_t last);
std::string base_name(redis::Offset offset, std::uint32_t attempt);                            // "<offset>-<attempt>"
std::string base_prefix(std::string_view source, TimelineId timeline, std::string_view base);  // ".../base/<name>/"
std::string base_part(std::string_view source, TimelineId timeline, std::string_view base, std::uint32_t part);
std::string base_manifest(std::string_view source, TimelineId timeline, std::string_view base);
std::string side(std::string_view source, TimelineId timeline, std::string_view base);
std::string checkpoint_prefix(std::string_view source);  // "sources/<name>/checkpoint/"
// "sources/<name>/checkpoint/<full>/<ordinal>": beside the full checkpoint that it builds on, so that a list with
// delimiter finds the newest full one without naming the others.
std::string checkpoint(std::string_view source, std::uint64_t ordinal);
std::uint64_t full_checkpoint_before(std::uint64_t ordinal);      // the newest full ordinal <= it; 0 for 0
std::string pin_prefix(std::string_view source);                  // "sources/<name>/pin/"
std::string pin(std::string_view source, std::string_view name);  // "sources/<name>/pin/<name>"
std::string record(std::string_view kind, std::string_view id);
}  // namespace layout

struct InitOptions {
  bool encrypted = true;
  std::optional<Secret> passphrase;  // needed when encrypted
  bool single_writer = false;        // accept a store without a working put-if-absent (recorded in config)
  bool command_frames = true;        // false: as repositories were before command frames, readable without them
};

struct InitResult {
  std::string repository_id;  // 32 hex digits
  Secret recovery_key;        // printed once; empty when not encrypted
  std::string probe;          // the object that proved put-if-absent; it means nothing, who may delete deletes it
};

// What a key slot opens with.
struct Unlock {
  std::optional<Secret> passphrase;
  std::optional<Secret> recovery_key;
};

struct RepositoryHead;

// An opened repository. Any thread (it does not change). Holds no power to write: that is in the store given to others.
class Repository {
 public:
  // Proves put-if-absent, then writes config and the key slots. kAlreadyExists when there is a repository.
  static Result<InitResult> init(AppendStore& store, const InitOptions& options, Clock& clock, Random& random);
  // kNotFound: no repository here (hint: anclora init); kUnsupported: a newer format, naming the version to install;
  // kUnauthenticated: no slot opens with these secrets; kDataLoss: config was tampered with, or no slot opens and one
  // is damaged. A damaged slot beside the one that opens does no harm here: list_key_slots() reports it.
  static Result<Repository> open(ReadStore& store, const Unlock& unlock);
  // The same, and keeps a copy of config and key slots in `cache_folder`. The copy is used only while the store is
  // unavailable (kUnavailable, kDeadlineExceeded), never when it answers: so capture can start with a dead store.
  static Result<Repository> open_with_cache(ReadStore& store, FileSystem& files, const std::string& cache_folder,
                                            const Unlock& unlock);

  const std::string& id() const { return id_; }  // 32 hex digits
  bool encrypted() const { return encrypted_; }
  bool single_writer() const { return single_writer_; }
  const ObjectKey& key() const { return key_; }
  // How commands are compressed here, so that whoever may open the repository can read them.
  FrameTuning command_tuning() const { return command_frames_ ? FrameTuning::kCommands : FrameTuning::kCommandsByZstd; }
  // The key slot that opened it; empty where nothing is encrypted.
  const std::string& opened_by() const { return opened_by_; }

 private:
  static Result<Repository> open_head(const RepositoryHead& head, const Unlock& unlock);

  std::string id_;
  bool encrypted_ = true;
  bool single_writer_ = false;
  bool command_frames_ = false;
  ObjectKey key_;
  std::string opened_by_;
};

// anclora key add|list|remove. Removing needs a full Store and never takes the last slot, nor the one
// that opened `repository`: a typing error must not lock out whoever makes it.
struct KeySlotInfo {
  std::string slot;
  std::string kind;  // "passphrase", "recovery"
  WallTime created;
};
Result<std::vector<KeySlotInfo>> list_key_slots(ReadStore& store, const Repository& repository);
// A new passphrase slot, or (none given) a new recovery key, which is returned and stored nowhere.
Result<Secret> add_key_slot(AppendStore& store, const Repository& repository, const std::optional<Secret>& passphrase,
                            Clock& clock, Random& random);
Status remove_key_slot(Store& store, const Repository& repository, std::string_view slot, Random& random);

// Sources that have anything in the repository, sorted.
Result<std::vector<std::string>> list_sources(ReadStore& store);
// Copies taken of targets, as "safety/<name>": usable wherever a source's name is, sorted.
Result<std::vector<std::string>> list_safety_copies(ReadStore& store);

}  // namespace anclora::storage

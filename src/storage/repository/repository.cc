#include "storage/repository/repository.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/repository/repository_config.h"
#include "storage/repository/repository_keys.h"
#include "storage/repository/sealed_object.h"
#include "storage/store/put_proof.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kIdBytes = 16;

Status refuse_existing(AppendStore& store) {
  ASSIGN_OR_RETURN(const bool there, object_exists(store, layout::config()));
  if (!there) return refuse_lost_config(store);
  return Error(ErrorKind::kAlreadyExists, "there is a repository in " + store.describe() + " already",
               "use it as it is, or choose another place");
}

bool is_away(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDeadlineExceeded;
}

// Puts the key slots; answers the recovery key.
Result<Secret> make_slots(AppendStore& store, const ObjectKey& key, const Secret& passphrase, Clock& clock,
                          Random& random) {
  ASSIGN_OR_RETURN(const KeySlot slot,
                   wrap_for_passphrase(*key.repository_key, key.repository_id, passphrase, clock.wall_now(), random));
  RETURN_IF_ERROR(put_key_slot(store, slot, random));
  Secret recovery = make_recovery_key(random);
  ASSIGN_OR_RETURN(const KeySlot second,
                   wrap_for_recovery_key(*key.repository_key, key.repository_id, recovery, clock.wall_now(), random));
  RETURN_IF_ERROR(put_key_slot(store, second, random));
  return recovery;
}

Result<Repository> explained(ReadStore& store, Result<Repository> opened) {
  if (opened || opened.error().kind() != ErrorKind::kUnauthenticated) return opened;
  return why_none_opens(store, opened.error());
}

}  // namespace

// Config comes last: once it is there, the keys are.
Result<InitResult> Repository::init(AppendStore& store, const InitOptions& options, Clock& clock, Random& random) {
  if (options.encrypted && (!options.passphrase || options.passphrase->empty()))
    return Error(ErrorKind::kInvalidArgument, "an encrypted repository needs a passphrase",
                 "give --passphrase-file FILE, or --no-encryption");
  RETURN_IF_ERROR(refuse_existing(store));
  InitResult result;
  if (!options.single_writer) {
    ASSIGN_OR_RETURN(result.probe, prove_put_if_absent(store, random));
  }
  ObjectKey key;
  key.repository_id = random.bytes(kIdBytes);
  result.repository_id = to_hex(key.repository_id);
  if (options.encrypted) {
    key.repository_key = make_repository_key(random);
    ASSIGN_OR_RETURN(result.recovery_key, make_slots(store, key, *options.passphrase, clock, random));
  }
  const RepositoryConfig config{result.repository_id, options.encrypted, options.single_writer, options.command_frames,
                                clock.wall_now()};
  ASSIGN_OR_RETURN(const bool mine, create_object(store, layout::config(), encode_config(config, key)));
  if (mine) return result;
  return Error(ErrorKind::kAlreadyExists, "another init was faster in " + store.describe(), "use its repository");
}

Result<Repository> Repository::open_head(const RepositoryHead& head, const Unlock& secrets) {
  ASSIGN_OR_RETURN(const RepositoryConfig config, decode_config(head.config));
  Repository repository;
  repository.id_ = config.id;
  repository.encrypted_ = config.encrypted;
  repository.single_writer_ = config.single_writer;
  repository.command_frames_ = config.command_frames;
  ASSIGN_OR_RETURN(repository.key_.repository_id, from_hex(config.id));
  if (config.encrypted) {
    ASSIGN_OR_RETURN(OpenedKey opened, unlock(head, repository.key_.repository_id, secrets));
    repository.key_.repository_key = std::move(opened.key);
    repository.opened_by_ = std::move(opened.slot);
  }
  RETURN_IF_ERROR(check_config(head.config, repository.key_));
  return repository;
}

Result<Repository> Repository::open(ReadStore& store, const Unlock& secrets) {
  ASSIGN_OR_RETURN(const RepositoryHead head, read_repository_head(store));
  return explained(store, open_head(head, secrets));
}

Result<Repository> Repository::open_with_cache(ReadStore& store, FileSystem& files, const std::string& cache_folder,
                                               const Unlock& secrets) {
  const Result<RepositoryHead> head = read_repository_head(store);
  if (head) {
    ASSIGN_OR_RETURN(Repository repository, explained(store, open_head(*head, secrets)));
    // Without the copy all works but a start while the store is away: no reason to stop now.
    ignore_result(write_cached_head(files, cache_folder, *head));
    return repository;
  }
  if (!is_away(head.error())) return head.error();
  const Result<RepositoryHead> cached = read_cached_head(files, cache_folder);
  if (!cached) return head.error();
  return open_head(*cached, secrets);
}

Result<std::vector<std::string>> list_sources(ReadStore& store) {
  constexpr std::string_view kSources = "sources/";
  ASSIGN_OR_RETURN(const Listing listing, store.list(kSources, true));
  std::vector<std::string> names;
  for (const std::string& prefix : listing.prefixes) {
    std::string name = prefix.substr(kSources.size(), prefix.size() - kSources.size() - 1);
    if (check_source_name(name)) names.push_back(std::move(name));
  }
  return names;
}

Result<std::vector<std::string>> list_safety_copies(ReadStore& store) {
  ASSIGN_OR_RETURN(const Listing listing, store.list("safety/", true));
  std::vector<std::string> names;
  names.reserve(listing.prefixes.size());
  for (const std::string& prefix : listing.prefixes) names.push_back(prefix.substr(0, prefix.size() - 1));
  return names;
}

}  // namespace anclora::storage

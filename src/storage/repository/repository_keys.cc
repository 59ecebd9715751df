#include "storage/repository/repository_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/repository/record.h"
#include "storage/repository/sealed_object.h"
#include "storage/store/object_name.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kKeys = "keys/";
constexpr std::size_t kMaxSlots = 64;
constexpr std::uint64_t kMaxConfigBytes = 64 * kKiB;

Error no_secret() {
  return Error(ErrorKind::kUnauthenticated, "the repository is encrypted and no passphrase was given",
               "give --passphrase-file FILE, or set ANCLORA_PASSPHRASE_FILE; the recovery key does too");
}

Result<KeySlot> check_slot(const std::string& name, const Bytes& text, const Repository& repository) {
  Result<KeySlot> slot = decode_key_slot(text);
  if (!slot) return slot.error().with_context(layout::key_slot(name));
  if (slot->repository_id != repository.key().repository_id) {
    KeySlot ours = *slot;
    ours.repository_id = repository.key().repository_id;
    if (!check_key_slot(ours, *repository.key().repository_key)) return slot;
    return Error(ErrorKind::kDataLoss, "the key slot is of this repository and names another: damaged")
        .with_context(layout::key_slot(name));
  }
  if (Status intact = check_key_slot(*slot, *repository.key().repository_key); !intact)
    return intact.error().with_context(layout::key_slot(name));
  return slot;
}

Status needs_encryption(const Repository& repository) {
  if (repository.encrypted()) return {};
  return Error(ErrorKind::kFailedPrecondition, "the repository is not encrypted: it has no keys",
               "a repository is encrypted from its init on, or never");
}

}  // namespace

Status refuse_lost_config(ReadStore& store) {
  ASSIGN_OR_RETURN(const Listing listing, store.list("", true));
  if (std::ranges::find(listing.prefixes, "sources/") == listing.prefixes.end()) return {};
  return Error(ErrorKind::kDataLoss, "config is missing from " + store.describe() + ", where sources are kept",
               "copy it and keys/ from a mirror; a new init would not open what is there");
}

Result<RepositoryHead> read_repository_head(ReadStore& store) {
  RepositoryHead head;
  Result<Bytes> config = store.get(layout::config(), kMaxConfigBytes);
  if (!config && config.error().kind() == ErrorKind::kNotFound) {
    RETURN_IF_ERROR(refuse_lost_config(store));
    return Error(ErrorKind::kNotFound, "there is no repository in " + store.describe(),
                 "create one with: anclora init " + store.describe());
  }
  if (!config && config.error().kind() == ErrorKind::kResourceExhausted)
    return Error(ErrorKind::kDataLoss, "config is larger than a configuration can be",
                 "it is damaged: copy it from a mirror, of before the damage");
  if (!config) return config.error();
  head.config = std::move(*config);
  ASSIGN_OR_RETURN(const Listing listing, store.list(kKeys, true));
  for (const ObjectInfo& object : listing.objects) {
    if (head.slots.size() == kMaxSlots) break;
    Result<Bytes> slot = store.get(object.name, kMaxKeySlotBytes);
    if (!slot && slot.error().kind() == ErrorKind::kNotFound) continue;           // removed meanwhile
    if (!slot && slot.error().kind() == ErrorKind::kResourceExhausted) continue;  // foreign: larger than a slot can be
    if (!slot) return slot.error();
    head.slots[object.name.substr(kKeys.size())] = std::move(*slot);
  }
  return head;
}

Result<OpenedKey> unlock(const RepositoryHead& head, ByteView repository_id, const Unlock& secrets) {
  if (!secrets.passphrase && !secrets.recovery_key) return no_secret();
  std::optional<Error> damage;
  std::optional<Error> refused;
  bool ours = false;
  bool of_another = false;
  for (const auto& [name, text] : head.slots) {
    const Result<KeySlot> slot = decode_key_slot(text);
    if (!slot) {
      damage = slot.error().with_context(layout::key_slot(name));
      continue;
    }
    (slot->repository_id == repository_id ? ours : of_another) = true;
    if (slot->repository_id != repository_id) continue;  // left by an init that died before its config
    const bool by_recovery = slot->kind == KeySlotKind::kRecovery;
    const std::optional<Secret>& secret = by_recovery ? secrets.recovery_key : secrets.passphrase;
    if (!secret) continue;
    Result<Secret> key = open_key_slot(*slot, *secret);
    if (key) {
      RETURN_IF_ERROR(check_key_slot(*slot, *key));
      return OpenedKey{std::move(*key), name};
    }
    if (key.error().kind() == ErrorKind::kDataLoss)
      damage = key.error().with_context(layout::key_slot(name));
    else if (key.error().kind() == ErrorKind::kUnauthenticated)
      refused = key.error();
    else
      return key.error();
  }
  if (damage) return *damage;
  if (of_another && !ours)
    return Error(ErrorKind::kDataLoss, "config and keys/ are of different repositories: one of them is damaged",
                 "copy both from a mirror, of before the damage");
  return Error(ErrorKind::kUnauthenticated,
               secrets.passphrase ? "the passphrase opens none of the repository's keys"
                                  : "the recovery key opens none of the repository's keys",
               "check it; anclora key list, with another one, shows what there is");
}

Error why_none_opens(ReadStore& store, Error refused) {
  const Result<Listing> top = store.list("", true);
  const Result<Listing> keys = store.list(kKeys, true);
  if (!top || !keys) return refused;
  if (std::ranges::find(top->foreign, "keys") != top->foreign.end())
    return Error(ErrorKind::kFailedPrecondition,
                 "keys in " + store.describe() + " is no folder but, it may be, a link: links inside are not followed",
                 "put the folder itself there");
  const auto slot = std::ranges::find_if(keys->foreign, [](const std::string& name) {
    return name.starts_with("keys/passphrase-") || name.starts_with("keys/recovery-");
  });
  if (slot != keys->foreign.end()) return refused.with_context(*slot + " is no plain file (a link?) and was not read");
  if (keys->objects.empty())
    return Error(ErrorKind::kDataLoss, "keys/ holds no key in " + store.describe() + ": nobody can read it without one",
                 "copy keys/ from a mirror");
  return refused;
}

Status put_key_slot(AppendStore& store, const KeySlot& slot, Random& random) {
  const std::string name = fmt::format("{}-{}", to_string(slot.kind), to_hex(random.bytes(4)));
  ASSIGN_OR_RETURN(const bool mine, create_object(store, layout::key_slot(name), encode_key_slot(slot)));
  if (mine) return {};
  return Error(ErrorKind::kAlreadyExists, layout::key_slot(name) + " is taken", "try again");
}

Result<std::vector<KeySlotInfo>> list_key_slots(ReadStore& store, const Repository& repository) {
  std::vector<KeySlotInfo> infos;
  if (!repository.encrypted()) return infos;
  ASSIGN_OR_RETURN(const RepositoryHead head, read_repository_head(store));
  for (const auto& [name, text] : head.slots) {
    ASSIGN_OR_RETURN(const KeySlot slot, check_slot(name, text, repository));
    if (slot.repository_id != repository.key().repository_id) continue;
    infos.push_back({name, std::string(to_string(slot.kind)), slot.created});
  }
  return infos;
}

Result<Secret> add_key_slot(AppendStore& store, const Repository& repository, const std::optional<Secret>& passphrase,
                            Clock& clock, Random& random) {
  RETURN_IF_ERROR(needs_encryption(repository));
  const ObjectKey& key = repository.key();
  if (passphrase) {
    ASSIGN_OR_RETURN(const KeySlot slot, wrap_for_passphrase(*key.repository_key, key.repository_id, *passphrase,
                                                             clock.wall_now(), random));
    RETURN_IF_ERROR(put_key_slot(store, slot, random));
    return Secret();
  }
  Secret recovery = make_recovery_key(random);
  ASSIGN_OR_RETURN(const KeySlot slot,
                   wrap_for_recovery_key(*key.repository_key, key.repository_id, recovery, clock.wall_now(), random));
  RETURN_IF_ERROR(put_key_slot(store, slot, random));
  return recovery;
}

Status remove_key_slot(Store& store, const Repository& repository, std::string_view slot, Random& random) {
  RETURN_IF_ERROR(needs_encryption(repository));
  if (!is_object_name_component(slot))
    return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" cannot name a key", printable_name(slot)));
  ASSIGN_OR_RETURN(const RepositoryHead head, read_repository_head(store));
  if (!head.slots.contains(std::string(slot)))
    return Error(ErrorKind::kNotFound, fmt::format("there is no key {}", slot), "anclora key list shows them");
  if (slot == repository.opened_by() && head.slots.size() > 1)
    return Error(ErrorKind::kFailedPrecondition, fmt::format("{} is the key that you opened the repository with", slot),
                 "repeat it with another key, which proves that you hold one: --passphrase-file FILE");
  // Only slots that are whole and of this repository count as another way in.
  const auto others = std::ranges::count_if(head.slots, [&](const auto& other) {
    const Result<KeySlot> whole = check_slot(other.first, other.second, repository);
    return other.first != slot && whole && whole->repository_id == repository.key().repository_id;
  });
  if (others == 0)
    return Error(ErrorKind::kFailedPrecondition,
                 fmt::format("{} is the last key: without it nobody could read the repository", slot),
                 "add another with anclora key add, then remove this one");
  // Told first: verify takes a slot that is gone without it for lost.
  const Status told = write_record(store, repository, "key-remove", slot, "{}", random);
  // An earlier try may have come so far, and not been permitted to delete.
  if (!told && told.error().kind() != ErrorKind::kAlreadyExists) return told;
  return store.remove(layout::key_slot(slot));
}

}  // namespace anclora::storage

#include "storage/repository/repository.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/testing/temporary_directory.h"
#include "storage/repository/record.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/faulty_store.h"
#include "storage/store/folder_store.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorKind::kInternal : result.error().kind();
}

class RepositoryTest : public ::testing::Test {
 protected:
  InitResult init() {
    InitOptions options;
    options.passphrase = Secret("correct horse");
    auto made = Repository::init(store_, options, clock_, random_);
    EXPECT_TRUE(made.has_value()) << made.error().to_string();
    return *made;
  }
  Unlock by_passphrase(std::string text = "correct horse") { return {Secret(std::move(text)), std::nullopt}; }

  ManualClock clock_;
  MemoryStore store_{clock_};
  SeededRandom random_{7};
};

TEST_F(RepositoryTest, OpensWithThePassphraseAndWithTheRecoveryKey) {
  const InitResult made = init();
  const auto first = Repository::open(store_, by_passphrase());
  ASSERT_TRUE(first.has_value()) << first.error().to_string();
  EXPECT_EQ(first->id(), made.repository_id);
  EXPECT_TRUE(first->encrypted());
  const auto second = Repository::open(store_, {std::nullopt, made.recovery_key});
  ASSERT_TRUE(second.has_value()) << second.error().to_string();
  EXPECT_TRUE(first->key().repository_key->equals(*second->key().repository_key));
}

TEST_F(RepositoryTest, RefusesAWrongOrMissingPassphrase) {
  init();
  EXPECT_EQ(kind_of(Repository::open(store_, by_passphrase("wrong"))), ErrorKind::kUnauthenticated);
  EXPECT_EQ(kind_of(Repository::open(store_, {})), ErrorKind::kUnauthenticated);
}

TEST_F(RepositoryTest, SaysWhenItsKeysLieBehindALinkOrAreGone) {
  const TemporaryDirectory directory;
  const std::string root = directory / "repository";
  FolderStore store(posix_file_system(), random_, root);
  InitOptions options;
  options.passphrase = Secret("correct horse");
  ASSERT_TRUE(Repository::init(store, options, clock_, random_).has_value());
  namespace fs = std::filesystem;
  fs::rename(root + "/keys", root + ".keys");
  for (const Unlock& unlock : {by_passphrase(), Unlock{}}) {
    const Error gone = Repository::open(store, unlock).error();
    EXPECT_EQ(gone.kind(), ErrorKind::kDataLoss);
    EXPECT_NE(gone.message().find("holds no key"), std::string::npos) << gone.message();
  }
  fs::create_directory_symlink(root + ".keys", root + "/keys");
  const Error linked = Repository::open(store, by_passphrase()).error();
  EXPECT_EQ(linked.kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(linked.message().find("links inside are not followed"), std::string::npos) << linked.message();
  fs::remove(root + "/keys");
  fs::create_directory(root + "/keys");
  for (const auto& slot : fs::directory_iterator(root + ".keys"))
    fs::create_symlink(slot.path(), root + "/keys/" + slot.path().filename().string());
  const Error slots = Repository::open(store, by_passphrase()).error();
  EXPECT_EQ(slots.kind(), ErrorKind::kUnauthenticated);
  EXPECT_NE(slots.message().find("keys/passphrase-"), std::string::npos) << slots.message();
  EXPECT_NE(slots.message().find("was not read"), std::string::npos) << slots.message();
}

TEST_F(RepositoryTest, SaysThatThereIsNoneAndHowToMakeOne) {
  const auto opened = Repository::open(store_, {});
  ASSERT_EQ(kind_of(opened), ErrorKind::kNotFound);
  EXPECT_NE(opened.error().hint().find("anclora init"), std::string::npos);
}

TEST_F(RepositoryTest, TellsALostConfigFromARepositoryThatWasNeverMade) {
  init();
  ASSERT_TRUE(store_.put_if_absent("sources/default/0000000001/log/00000000000000000000", "x").has_value());
  ASSERT_TRUE(store_.remove(layout::config()).has_value());
  EXPECT_EQ(kind_of(Repository::open(store_, by_passphrase())), ErrorKind::kDataLoss);
  InitOptions options;
  options.passphrase = Secret("another");
  EXPECT_EQ(kind_of(Repository::init(store_, options, clock_, random_)), ErrorKind::kDataLoss);
}

TEST_F(RepositoryTest, IsMadeOnce) {
  init();
  InitOptions options;
  options.encrypted = false;
  EXPECT_EQ(kind_of(Repository::init(store_, options, clock_, random_)), ErrorKind::kAlreadyExists);
}

TEST_F(RepositoryTest, EncryptionNeedsAPassphrase) {
  EXPECT_EQ(kind_of(Repository::init(store_, InitOptions{}, clock_, random_)), ErrorKind::kInvalidArgument);
}

// A server that overwrites (ignores If-None-Match).
class OverwritingStore final : public AppendStore {
 public:
  explicit OverwritingStore(MemoryStore& inner) : inner_(inner) {}
  Result<Bytes> get(std::string_view name, std::uint64_t limit) override { return inner_.get(name, limit); }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override {
    return inner_.get_range(name, offset, size);
  }
  Result<ObjectInfo> head(std::string_view name) override { return inner_.head(name); }
  Result<Listing> list(std::string_view prefix, bool delimited) override { return inner_.list(prefix, delimited); }
  Result<WallTime> now() override { return inner_.now(); }
  std::string describe() const override { return "s3://careless"; }
  Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) override {
    inner_.overwrite(name, body.read(0, body.size_bytes()).value());
    return PutOutcome::kCreated;
  }

 private:
  MemoryStore& inner_;
};

TEST_F(RepositoryTest, RefusesAStoreThatOverwritesUnlessThereIsASingleWriter) {
  OverwritingStore careless(store_);
  InitOptions options;
  options.encrypted = false;
  const auto refused = Repository::init(careless, options, clock_, random_);
  ASSERT_EQ(kind_of(refused), ErrorKind::kUnsupported);
  EXPECT_NE(refused.error().hint().find("--single-writer"), std::string::npos);
  EXPECT_EQ(kind_of(Repository::open(store_, {})), ErrorKind::kNotFound);
  options.single_writer = true;
  ASSERT_TRUE(Repository::init(careless, options, clock_, random_).has_value());
  EXPECT_TRUE(Repository::open(store_, {})->single_writer());
}

TEST_F(RepositoryTest, SurvivesEveryLostReplyOfItsInit) {
  for (std::uint64_t lost = 1;; ++lost) {
    MemoryStore inner(clock_);
    FaultyStore faulty(inner, clock_);
    faulty.schedule(lost, {StoreFault::Kind::kErrorAfter, ErrorKind::kUnavailable});
    InitOptions options;
    options.encrypted = false;
    const auto made = Repository::init(faulty, options, clock_, random_);
    const bool retried = made.has_value() || Repository::init(faulty, options, clock_, random_).has_value();
    EXPECT_TRUE(retried || Repository::open(inner, {}).has_value()) << lost;
    if (faulty.request_count() < lost) break;
  }
}

Bytes edited(const Bytes& config, const std::function<void(nlohmann::json&)>& edit) {
  nlohmann::json json = nlohmann::json::parse(config);
  edit(json);
  return json.dump();
}

TEST_F(RepositoryTest, NamesTheFeatureAndTheReleaseThatANewerRepositoryNeeds) {
  make_plain_repository(store_, clock_, random_);
  const Bytes config = store_.get("config", kMiB).value();
  store_.overwrite("config", edited(config, [](auto& json) {
                     json["required_features"].push_back({{"name", "striped-packs"}, {"since", "0.7.0"}});
                   }));
  const auto feature = Repository::open(store_, {});
  ASSERT_EQ(kind_of(feature), ErrorKind::kUnsupported);
  EXPECT_NE(feature.error().message().find("striped-packs"), std::string::npos);
  EXPECT_NE(feature.error().hint().find("0.7.0"), std::string::npos);
  store_.overwrite("config", edited(config, [](auto& json) { json["format"] = 2, json["since"] = "1.2.0"; }));
  const auto format = Repository::open(store_, {});
  ASSERT_EQ(kind_of(format), ErrorKind::kUnsupported);
  EXPECT_NE(format.error().hint().find("1.2.0"), std::string::npos);
}

TEST_F(RepositoryTest, RefusesAConfigThatWasTamperedWith) {
  init();
  const Bytes config = store_.get("config", kMiB).value();
  store_.overwrite("config", edited(config, [](auto& json) { json["single_writer"] = true; }));
  EXPECT_EQ(kind_of(Repository::open(store_, by_passphrase())), ErrorKind::kDataLoss);
  for (const Bytes& damaged : {Bytes("garbage"), Bytes(), Bytes("{}"), config + Bytes(kMiB, ' ')}) {
    store_.overwrite("config", damaged);
    const auto opened = Repository::open(store_, by_passphrase());
    ASSERT_EQ(kind_of(opened), ErrorKind::kDataLoss) << damaged.size();
    EXPECT_NE(opened.error().hint().find("copy it from a mirror"), std::string::npos) << opened.error().to_string();
  }
}

TEST_F(RepositoryTest, EveryFlippedByteOfItsHeadIsRefused) {
  const InitResult made = init();
  const Unlock unlock{std::nullopt, made.recovery_key};
  const Listing listing = store_.list("", false).value();
  for (const ObjectInfo& object : listing.objects) {
    if (object.name != "config" && !object.name.starts_with("keys/recovery")) continue;
    const Bytes whole = store_.get(object.name, kMiB).value();
    for (std::size_t at = 0; at < whole.size(); ++at) {
      Bytes flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
      store_.overwrite(object.name, flipped);
      const auto opened = Repository::open(store_, unlock);
      if (opened) {
        EXPECT_EQ(opened->id(), made.repository_id) << object.name << " " << at;
      }
      if (object.name == "config") {
        ASSERT_FALSE(opened.has_value()) << at << " " << flipped;
        EXPECT_NE(opened.error().to_string().find("config"), std::string::npos)
            << at << " " << opened.error().to_string();
      }
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
      store_.overwrite(object.name, whole.substr(0, size));
      const auto opened = Repository::open(store_, unlock);
      if (opened) {
        EXPECT_EQ(opened->id(), made.repository_id) << object.name << " " << size;
      }
      if (object.name == "config") {
        EXPECT_FALSE(opened.has_value()) << size;
      }
    }
    store_.overwrite(object.name, whole);
  }
  EXPECT_TRUE(Repository::open(store_, unlock).has_value());
}

TEST_F(RepositoryTest, KeysAreAddedListedAndRemovedButNeverTheLast) {
  init();
  const Repository repository = *Repository::open(store_, by_passphrase());
  ASSERT_TRUE(add_key_slot(store_, repository, Secret("second"), clock_, random_).has_value());
  const auto recovery = add_key_slot(store_, repository, std::nullopt, clock_, random_);
  ASSERT_TRUE(recovery.has_value());
  EXPECT_FALSE(recovery->empty());
  EXPECT_TRUE(Repository::open(store_, by_passphrase("second")).has_value());
  EXPECT_TRUE(Repository::open(store_, {std::nullopt, *recovery}).has_value());
  std::vector<KeySlotInfo> slots = list_key_slots(store_, repository).value();
  ASSERT_EQ(slots.size(), 4U);
  EXPECT_EQ(kind_of(remove_key_slot(store_, repository, "passphrase-none", random_)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(remove_key_slot(store_, repository, "../config", random_)), ErrorKind::kInvalidArgument);
  for (const KeySlotInfo& slot : slots)
    EXPECT_EQ(remove_key_slot(store_, repository, slot.slot, random_).has_value(), slot.slot != repository.opened_by());
  EXPECT_EQ(kind_of(remove_key_slot(store_, repository, repository.opened_by(), random_)),
            ErrorKind::kFailedPrecondition);
  EXPECT_EQ(list_key_slots(store_, repository)->size(), 1U);
}

TEST_F(RepositoryTest, AKeyIsRemovedAlsoWhereAnEarlierTryOnlyToldIt) {
  init();
  const Repository repository = *Repository::open(store_, by_passphrase());
  const std::vector<KeySlotInfo> slots = list_key_slots(store_, repository).value();
  const auto other =
      std::ranges::find_if(slots, [&](const KeySlotInfo& slot) { return slot.slot != repository.opened_by(); });
  ASSERT_TRUE(other != slots.end());
  ASSERT_TRUE(write_record(store_, repository, "key-remove", other->slot, "{}", random_).has_value());
  EXPECT_TRUE(remove_key_slot(store_, repository, other->slot, random_).has_value());
  EXPECT_EQ(list_key_slots(store_, repository)->size(), slots.size() - 1);
}

TEST_F(RepositoryTest, TheKeyThatOpenedTheRepositoryIsNotRemoved) {
  init();
  const Repository repository = *Repository::open(store_, by_passphrase());
  const auto refused = remove_key_slot(store_, repository, repository.opened_by(), random_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().to_string().find("another key"), std::string::npos) << refused.error().to_string();
  EXPECT_TRUE(Repository::open(store_, by_passphrase()).has_value());
}

TEST_F(RepositoryTest, ADamagedSlotIsReportedAndStopsNobodyWithAnotherKey) {
  init();
  const Repository repository = *Repository::open(store_, by_passphrase());
  const Listing listing = store_.list("keys/recovery", false).value();
  for (const ObjectInfo& object : listing.objects) {
    Bytes slot = store_.get(object.name, kMiB).value();
    slot[slot.size() / 2] = static_cast<char>(slot[slot.size() / 2] ^ 4);
    store_.overwrite(object.name, slot);
  }
  EXPECT_TRUE(Repository::open(store_, by_passphrase()).has_value());
  EXPECT_EQ(kind_of(list_key_slots(store_, repository)), ErrorKind::kDataLoss);
}

TEST_F(RepositoryTest, NoFlippedBitOfAKeySlotPassesForAWholeSlot) {
  init();
  const Repository repository = *Repository::open(store_, by_passphrase());
  const Listing keys = store_.list("keys/", true).value();
  for (const ObjectInfo& object : keys.objects) {
    const Bytes slot = store_.get(object.name, kMiB).value();
    for (std::size_t bit = 0; bit < slot.size() * 8; ++bit) {
      Bytes damaged = slot;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      store_.overwrite(object.name, damaged);
      const auto listed = list_key_slots(store_, repository);
      ASSERT_FALSE(listed.has_value()) << damaged;
      EXPECT_NE(listed.error().to_string().find(object.name), std::string::npos) << listed.error().to_string();
    }
    store_.overwrite(object.name, slot);
  }
}

TEST_F(RepositoryTest, TheCacheServesOnlyWhileTheStoreIsAway) {
  init();
  TemporaryDirectory folder;
  FaultyStore faulty(store_, clock_);
  FileSystem& files = posix_file_system();
  bool away = true;
  faulty.decide([&](const StoreRequest&) -> std::optional<StoreFault> {
    if (!away) return std::nullopt;
    return StoreFault{StoreFault::Kind::kErrorBefore, ErrorKind::kUnavailable};
  });
  const auto open = [&](const Unlock& unlock) {
    return Repository::open_with_cache(faulty, files, folder.path() + "/state", unlock);
  };
  EXPECT_EQ(kind_of(open(by_passphrase())), ErrorKind::kUnavailable);
  away = false;
  ASSERT_TRUE(open(by_passphrase()).has_value());
  away = true;
  EXPECT_TRUE(open(by_passphrase()).has_value());
  EXPECT_EQ(kind_of(open(by_passphrase("wrong"))), ErrorKind::kUnauthenticated);
  away = false;
  ASSERT_TRUE(store_.remove("config").has_value());
  EXPECT_EQ(kind_of(open(by_passphrase())), ErrorKind::kNotFound);
}

TEST_F(RepositoryTest, SourcesAreListedByNameWithoutForeignFolders) {
  for (const char* name : {"sources/b/x", "sources/a/y", "sources/Upper/z", "safety/before-1/z"})
    ASSERT_TRUE(store_.put_if_absent(name, "x").has_value());
  EXPECT_EQ(list_sources(store_).value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(list_safety_copies(store_).value(), (std::vector<std::string>{"safety/before-1"}));
}

TEST(Layout, NamesSortAsTheirNumbersDo) {
  EXPECT_EQ(layout::log_entry("q", TimelineId{3}, 12), "sources/q/0000000003/log/00000000000000000012");
  EXPECT_LT(layout::log_entry("q", TimelineId{1}, 9), layout::log_entry("q", TimelineId{1}, 10));
  EXPECT_LT(layout::log_entry("q", TimelineId{1}, UINT64_MAX), layout::log_entry("q", TimelineId{2}, 0));
  EXPECT_EQ(layout::checkpoint("q", 61), "sources/q/checkpoint/000000000061/000000000061");
  EXPECT_EQ(layout::checkpoint("q", 60), "sources/q/checkpoint/000000000001/000000000060");
  EXPECT_EQ(layout::source_prefix("safety/q"), "safety/q/");
  EXPECT_TRUE(check_object_name(layout::base_manifest("q", TimelineId{UINT32_MAX}, "1-1")).has_value());
}

TEST(Layout, ASourcesNameIsPlain) {
  EXPECT_TRUE(check_source_name("orders-eu_1").has_value());
  for (const std::string& name : {std::string(), std::string("-a"), std::string("A"), std::string("a/b"),
                                  std::string(".."), std::string(64, 'a'), std::string("a\n")})
    EXPECT_FALSE(check_source_name(name).has_value()) << name;
}

}  // namespace
}  // namespace anclora::storage

#include "storage/journal/key_slot.h"

#include <gtest/gtest.h>

namespace anclora::storage {
namespace {

const WallTime kCreated{Duration(1'767'225'600'123'456)};
const Bytes kRepository(16, 'r');

struct Fixture {
  SeededRandom random{9};
  Secret key = make_repository_key(random);
  Secret recovery = make_recovery_key(random);

  KeySlot passphrase_slot() {
    auto slot = wrap_for_passphrase(key, kRepository, Secret("correct horse"), kCreated, random);
    EXPECT_TRUE(slot.has_value());
    return *slot;
  }
  KeySlot recovery_slot() {
    auto slot = wrap_for_recovery_key(key, kRepository, recovery, kCreated, random);
    EXPECT_TRUE(slot.has_value());
    return *slot;
  }
};

void expect_kind(const Result<Secret>& result, ErrorKind kind) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), kind);
}

TEST(KeySlot, OpensWithItsPassphraseOnly) {
  Fixture f;
  const KeySlot slot = f.passphrase_slot();
  const auto key = open_key_slot(slot, Secret("correct horse"));
  ASSERT_TRUE(key.has_value());
  EXPECT_TRUE(key->equals(f.key));
  expect_kind(open_key_slot(slot, Secret("correct horsf")), ErrorKind::kUnauthenticated);
  expect_kind(open_key_slot(slot, Secret()), ErrorKind::kInvalidArgument);
}

TEST(KeySlot, RemembersADerivedKeyForItsOwnSlotAndPassphraseOnly) {
  Fixture f;
  const KeySlot first = f.passphrase_slot(), second = f.passphrase_slot();
  ASSERT_NE(first.salt, second.salt);
  for (const KeySlot* slot : {&first, &first, &second, &first}) {
    const auto key = open_key_slot(*slot, Secret("correct horse"));
    ASSERT_TRUE(key.has_value());
    EXPECT_TRUE(key->equals(f.key));
    expect_kind(open_key_slot(*slot, Secret("correct horsf")), ErrorKind::kUnauthenticated);
  }
  KeySlot harder = first;
  ASSERT_TRUE(open_key_slot(first, Secret("correct horse")).has_value());
  ++harder.operations;
  EXPECT_FALSE(open_key_slot(harder, Secret("correct horse")).has_value());
}

TEST(KeySlot, OpensWithItsRecoveryKeyHoweverItIsTyped) {
  Fixture f;
  const KeySlot slot = f.recovery_slot();
  std::string typed = " " + f.recovery.reveal() + "\n";
  for (char& c : typed) c = c == '-' ? ' ' : c == '0' ? 'o' : c == '1' ? 'l' : static_cast<char>(std::tolower(c));
  for (const Secret& secret : {f.recovery, Secret(typed)}) {
    const auto key = open_key_slot(slot, secret);
    ASSERT_TRUE(key.has_value());
    EXPECT_TRUE(key->equals(f.key));
  }
  SeededRandom other(10);
  expect_kind(open_key_slot(slot, make_recovery_key(other)), ErrorKind::kUnauthenticated);
}

TEST(KeySlot, RoundTripsAsJson) {
  Fixture f;
  for (const KeySlot& slot : {f.passphrase_slot(), f.recovery_slot()}) {
    const auto decoded = decode_key_slot(encode_key_slot(slot));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
    EXPECT_EQ(decoded->kind, slot.kind);
    EXPECT_EQ(decoded->created, kCreated);
    EXPECT_TRUE(check_key_slot(*decoded, f.key).has_value());
    EXPECT_EQ(encode_key_slot(*decoded), encode_key_slot(slot));
  }
}

TEST(KeySlot, ContainsNeitherTheKeyNorTheSecret) {
  Fixture f;
  const Bytes json = encode_key_slot(f.passphrase_slot()) + encode_key_slot(f.recovery_slot());
  EXPECT_EQ(json.find(to_hex(f.key.reveal())), Bytes::npos);
  EXPECT_EQ(json.find("horse"), Bytes::npos);
  EXPECT_EQ(json.find(f.recovery.reveal()), Bytes::npos);
}

TEST(KeySlot, ShowsEveryChangeToWhoeverHasTheKey) {
  Fixture f;
  const KeySlot slot = f.recovery_slot();
  std::vector<KeySlot> changed(6, slot);
  changed[0].kind = KeySlotKind::kPassphrase;
  changed[1].repository_id[0] = 'x';
  changed[2].created += Duration(1);
  changed[3].nonce[0] = static_cast<char>(changed[3].nonce[0] ^ 1);
  changed[4].wrapped[5] = static_cast<char>(changed[4].wrapped[5] ^ 1);
  changed[5].mac[31] ^= 1;
  for (const KeySlot& bad : changed) {
    const Status status = check_key_slot(bad, f.key);
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().kind(), ErrorKind::kDataLoss);
  }
  for (std::size_t i = 1; i < 5; ++i) expect_kind(open_key_slot(changed[i], f.recovery), ErrorKind::kUnauthenticated);
}

TEST(KeySlot, DoesNotObeyASlotThatDemandsTooMuch) {
  Fixture f;
  KeySlot slot = f.passphrase_slot();
  slot.memory_bytes = std::uint64_t{1} << 40;
  expect_kind(open_key_slot(slot, Secret("correct horse")), ErrorKind::kDataLoss);
  slot = f.passphrase_slot();
  slot.operations = 1 << 20;
  expect_kind(open_key_slot(slot, Secret("correct horse")), ErrorKind::kDataLoss);
}

TEST(KeySlot, RefusesEveryTruncationAndSurvivesFlippedBytes) {
  Fixture f;
  const Bytes json = encode_key_slot(f.passphrase_slot());
  for (std::size_t size = 0; size + 2 < json.size(); ++size)
    ASSERT_FALSE(decode_key_slot(ByteView(json).substr(0, size)).has_value()) << size;
  for (int i = 0; i < 5000; ++i) {
    Bytes flipped = json;
    flipped[f.random.below(json.size())] = static_cast<char>(f.random.next_u64());
    const auto decoded = decode_key_slot(flipped);
    if (decoded.has_value()) {
      EXPECT_TRUE(decode_key_slot(encode_key_slot(*decoded)).has_value());
    }
  }
}

TEST(KeySlot, NamesTheFieldThatIsWrong) {
  Fixture f;
  Bytes json = encode_key_slot(f.recovery_slot());
  json.replace(json.find("\"nonce\": \"") + 10, 2, "zz");
  const auto decoded = decode_key_slot(json);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_NE(decoded.error().message().find("\"nonce\""), std::string::npos);
}

TEST(KeySlot, RefusesANewerVersionSayingWhatToInstall) {
  Fixture f;
  Bytes json = encode_key_slot(f.recovery_slot());
  json.replace(json.find("\"version\": 1"), 12, "\"version\": 2");
  const auto decoded = decode_key_slot(json);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().kind(), ErrorKind::kUnsupported);
  EXPECT_NE(decoded.error().hint().find("install"), std::string::npos);
}

TEST(RecoveryKey, HasGroupsThatCanBeReadAloud) {
  SeededRandom random(1);
  const Secret key = make_recovery_key(random);
  EXPECT_EQ(key.reveal().size(), 14u * 4 + 13);
  for (std::size_t i = 4; i < key.reveal().size(); i += 5) EXPECT_EQ(key.reveal()[i], '-');
  EXPECT_EQ(key.reveal().find_first_of("ILOU"), std::string::npos);
}

TEST(RecoveryKey, FindsEverySingleMistake) {
  SeededRandom random(1);
  const std::string right = make_recovery_key(random).reveal();
  for (std::size_t i = 0; i < right.size(); ++i) {
    std::string wrong = right;
    wrong[i] = right[i] == '7' ? '8' : '7';
    EXPECT_FALSE(normalize_recovery_key(Secret(wrong)).has_value()) << i;
    EXPECT_FALSE(normalize_recovery_key(Secret(right.substr(0, i))).has_value()) << i;
  }
  EXPECT_FALSE(normalize_recovery_key(Secret(right + "0")).has_value());
  EXPECT_FALSE(normalize_recovery_key(Secret(std::string(100000, '0'))).has_value());
}

TEST(ConfigMac, ChangesWithTheBytesAndTheKey) {
  const Secret key(std::string(32, 'k'));
  const Hash256 mac = config_mac(key, "config");
  EXPECT_TRUE(config_mac_matches(key, "config", mac));
  EXPECT_FALSE(config_mac_matches(key, "Config", mac));
  EXPECT_FALSE(config_mac_matches(Secret(std::string(32, 'l')), "config", mac));
}

}  // namespace
}  // namespace anclora::storage

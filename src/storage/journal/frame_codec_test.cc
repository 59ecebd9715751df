#include "storage/journal/frame_codec.h"

#include <gtest/gtest.h>

#include <random>

namespace anclora::storage {
namespace {

// Good enough bytes, quickly, and the same in every run.
class EngineRandom final : public Random {
 public:
  explicit EngineRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next_u64() override { return engine_(); }
  Bytes bytes(std::size_t size) override {
    Bytes out;
    while (out.size() < size) out.push_back(static_cast<char>(engine_()));
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

constexpr std::string_view kName = "sources/default/1/log/7";

ObjectKey encrypted_key(char fill = 'k') { return {Secret(std::string(32, fill)), Bytes(16, 'r')}; }
ObjectKey plain_key() { return {std::nullopt, Bytes(16, 'r')}; }

Bytes sample(std::size_t size, std::uint64_t seed = 1) {
  EngineRandom random(seed);
  Bytes bytes;
  while (bytes.size() < size) {
    bytes += random.bytes(16);
    bytes.append(48, static_cast<char>('a' + bytes.size() % 26));
  }
  bytes.resize(size);
  return bytes;
}

Bytes sealed(const ObjectKey& key, ByteView plain, std::string_view name = kName) {
  EngineRandom random(5);
  auto object = seal_object(key, name, plain, random);
  EXPECT_TRUE(object.has_value());
  return object.value_or(Bytes());
}

class FrameCodec : public ::testing::TestWithParam<bool> {
 protected:
  ObjectKey key() const { return GetParam() ? encrypted_key() : plain_key(); }
};

TEST_P(FrameCodec, OpensWhatItSealed) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, kFrameBytes - 1, kFrameBytes,
                                 kFrameBytes + 1, 3 * kFrameBytes + 17}) {
    const Bytes plain = sample(size);
    const auto opened = open_object(key(), kName, sealed(key(), plain));
    ASSERT_TRUE(opened.has_value()) << size << ": " << opened.error().message();
    EXPECT_EQ(*opened, plain);
  }
}

TEST_P(FrameCodec, OpensAnObjectFedInPiecesOfAnySize) {
  const Bytes plain = sample(2 * kFrameBytes + 99);
  const Bytes object = sealed(key(), plain);
  for (const std::size_t piece : {std::size_t{7}, std::size_t{1000}, kFrameBytes, object.size()}) {
    ObjectOpener opener(key(), kName, 0);
    Bytes opened;
    for (std::size_t at = 0; at < object.size(); at += piece) {
      EXPECT_FALSE(opener.finished());
      const auto status = opener.feed(ByteView(object).substr(at, piece), opened);
      ASSERT_TRUE(status.has_value()) << status.error().message();
    }
    EXPECT_TRUE(opener.finished());
    EXPECT_TRUE(opener.finish().has_value());
    EXPECT_EQ(opened, plain);
  }
}

TEST_P(FrameCodec, HandsOutOneFrameAtATime) {
  const Bytes plain = sample(3 * kFrameBytes);
  const Bytes object = sealed(key(), plain);
  ObjectOpener opener(key(), kName, 0);
  ByteView rest = object;
  Bytes opened;
  for (int frame = 1; frame <= 3; ++frame) {
    const auto taken = opener.feed_frame(rest, opened);
    ASSERT_TRUE(taken.has_value()) << taken.error().message();
    EXPECT_EQ(opened.size(), static_cast<std::size_t>(frame) * kFrameBytes);
    rest.remove_prefix(*taken);
  }
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(opened, plain);
}

TEST_P(FrameCodec, RefusesEveryTruncation) {
  const Bytes object = sealed(key(), sample(5000));
  for (std::size_t size = 0; size < object.size(); ++size) {
    const auto opened = open_object(key(), kName, ByteView(object).substr(0, size));
    ASSERT_FALSE(opened.has_value()) << size;
    ASSERT_EQ(opened.error().kind(), ErrorKind::kDataLoss) << size;
    ASSERT_NE(opened.error().message().find(kName), std::string::npos);
  }
}

TEST_P(FrameCodec, RefusesAnObjectCutAtAFrameBorder) {
  const Bytes plain = sample(2 * kFrameBytes);
  EngineRandom random(3);
  FrameCompressor compressor(FrameTuning::kCommands);
  const auto frames = compressor.compress(plain);
  ASSERT_TRUE(frames.has_value());
  ASSERT_EQ(frames->size(), 2u);
  ObjectSealer sealer(key(), kName, 0, random);
  const Bytes cut = sealer.header() + sealer.seal((*frames)[0], false);
  const auto opened = open_object(key(), kName, cut);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind(), ErrorKind::kDataLoss);
}

TEST_P(FrameCodec, RefusesEveryFlippedBit) {
  const Bytes plain = sample(700);
  const Bytes object = sealed(key(), plain);
  for (std::size_t bit = 0; bit < object.size() * 8; ++bit) {
    Bytes flipped = object;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(open_object(key(), kName, flipped).has_value()) << "bit " << bit;
  }
}

TEST_P(FrameCodec, RefusesBytesAfterTheFinalFrame) {
  const Bytes object = sealed(key(), "payload");
  for (const Bytes& extra : {Bytes(1, 'x'), object}) {
    const auto opened = open_object(key(), kName, object + extra);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind(), ErrorKind::kDataLoss);
  }
}

TEST_P(FrameCodec, RefusesReorderedFrames) {
  EngineRandom random(3);
  FrameCompressor compressor(FrameTuning::kCommands);
  const auto frames = compressor.compress(sample(3 * kFrameBytes));
  ASSERT_TRUE(frames.has_value());
  ObjectSealer sealer(key(), kName, 0, random);
  const Bytes header = sealer.header();
  const Bytes a = sealer.seal((*frames)[0], false);
  const Bytes b = sealer.seal((*frames)[1], false);
  const Bytes c = sealer.seal((*frames)[2], true);
  EXPECT_TRUE(open_object(key(), kName, header + a + b + c).has_value());
  EXPECT_FALSE(open_object(key(), kName, header + b + a + c).has_value());
  EXPECT_FALSE(open_object(key(), kName, header + a + c).has_value());
  EXPECT_FALSE(open_object(key(), kName, header + a + a + b + c).has_value());
}

TEST_P(FrameCodec, RefusesAnObjectUnderAnotherName) {
  const Bytes object = sealed(key(), "payload");
  EXPECT_FALSE(open_object(key(), "sources/default/1/log/8", object).has_value());
}

TEST_P(FrameCodec, RefusesAnObjectOfAnotherRepositoryOrStream) {
  const Bytes object = sealed(key(), "payload");
  ObjectKey other = key();
  other.repository_id[3] = 'x';
  EXPECT_FALSE(open_object(other, kName, object).has_value());
  ObjectOpener opener(key(), kName, 1);
  Bytes plain;
  EXPECT_FALSE(opener.feed(object, plain).has_value());
  EXPECT_TRUE(plain.empty());
}

TEST_P(FrameCodec, RefusesANewerFormatSayingWhatToInstall) {
  Bytes object = sealed(key(), "payload");
  object[4] = 2;
  const auto opened = open_object(key(), kName, object);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind(), ErrorKind::kUnsupported);
  EXPECT_NE(opened.error().hint().find("install"), std::string::npos);
}

TEST_P(FrameCodec, StopsAtTheLimitOfTheCaller) {
  const Bytes object = sealed(key(), Bytes(3 * kFrameBytes, 'z'));
  const auto opened = open_object(key(), kName, object, 2 * kFrameBytes);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind(), ErrorKind::kResourceExhausted);
}

TEST_P(FrameCodec, SurvivesRandomBytes) {
  EngineRandom random(11);
  const Bytes object = sealed(key(), sample(3000));
  for (int i = 0; i < 5000; ++i) {
    Bytes hostile = object.substr(0, random.below(object.size()));
    hostile += random.bytes(random.below(300));
    ASSERT_FALSE(open_object(key(), kName, hostile).has_value());
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, FrameCodec, ::testing::Values(true, false),
                         [](const auto& mode) { return mode.param ? "Encrypted" : "HashesOnly"; });

TEST(FrameCodecKeys, RefusesAnotherKey) {
  const auto opened = open_object(encrypted_key('x'), kName, sealed(encrypted_key('k'), "payload"));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind(), ErrorKind::kDataLoss);
}

TEST(FrameCodecKeys, NeverTakesAnUnencryptedObjectInAnEncryptedRepository) {
  EXPECT_FALSE(open_object(encrypted_key(), kName, sealed(plain_key(), "payload")).has_value());
  EXPECT_FALSE(open_object(plain_key(), kName, sealed(encrypted_key(), "payload")).has_value());
}

TEST(FrameCodecKeys, LeavesNothingReadableInAnEncryptedObject) {
  const Bytes object = sealed(encrypted_key(), "a secret that compression would leave as it is");
  EXPECT_EQ(object.find("secret"), Bytes::npos);
  EXPECT_NE(sealed(plain_key(), "a secret that compression would leave as it is").find("secret"), Bytes::npos);
}

TEST(FrameCodecKeys, SealsTheSameBytesDifferentlyUnderAnotherNonce) {
  EngineRandom random(5);
  const auto a = seal_object(encrypted_key(), kName, "payload", random);
  const auto b = seal_object(encrypted_key(), kName, "payload", random);
  ASSERT_TRUE(a.has_value() && b.has_value());
  EXPECT_NE(*a, *b);
}

}  // namespace
}  // namespace anclora::storage

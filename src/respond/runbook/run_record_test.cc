#include "respond/runbook/run_record.h"

#include <gtest/gtest.h>

namespace anclora::respond {
namespace {

RunRecord example() {
  RunRecord record;
  record.kind = RecordKind::kOutcome;
  record.step = "data";
  record.attempt = 2;
  record.actor = "ada";
  record.text = "restored \"x\"\nsecond line";
  record.request = "17";
  record.fields = {{"position", "1/4242"}, {"url", "redis://127.0.0.1:6379"}};
  record.number = 7;
  record.time = *parse_rfc3339("2026-11-24T12:00:00.123456Z");
  return record;
}

TEST(RunRecord, ReadsBackWhatItWrote) {
  Hash256 previous{}, hash{};
  previous[3] = 9;
  const std::string line = encode_record(example(), previous, hash);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto decoded = decode_record(line);
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(decoded->previous, previous);
  EXPECT_EQ(decoded->hash, hash);
  EXPECT_EQ(decoded->record.kind, RecordKind::kOutcome);
  EXPECT_EQ(decoded->record.step, "data");
  EXPECT_EQ(decoded->record.attempt, 2U);
  EXPECT_EQ(decoded->record.actor, "ada");
  EXPECT_EQ(decoded->record.text, example().text);
  EXPECT_EQ(decoded->record.request, "17");
  EXPECT_EQ(decoded->record.fields, example().fields);
  EXPECT_EQ(decoded->record.number, 7U);
  EXPECT_EQ(decoded->record.time, example().time);
}

TEST(RunRecord, ReadsBackEveryKind) {
  for (int kind = 0; kind <= static_cast<int>(RecordKind::kRequestRefused); ++kind) {
    RunRecord record;
    record.kind = static_cast<RecordKind>(kind);
    record.number = 1;
    Hash256 hash{};
    const auto decoded = decode_record(encode_record(record, {}, hash));
    ASSERT_TRUE(decoded) << to_string(record.kind);
    EXPECT_EQ(decoded->record.kind, record.kind);
  }
}

TEST(RunRecord, RefusesALineWithAnyByteChanged) {
  Hash256 hash{};
  const std::string line = encode_record(example(), {}, hash);
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string changed = line;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(decode_record(changed)) << i;
  }
}

TEST(RunRecord, RefusesEveryTruncation) {
  Hash256 hash{};
  const std::string line = encode_record(example(), {}, hash);
  for (std::size_t size = 0; size < line.size(); ++size) EXPECT_FALSE(decode_record(line.substr(0, size))) << size;
}

TEST(RunRecord, CutsWhatIsTooLongAndSaysSo) {
  RunRecord record = example();
  record.text = std::string(kMaxRecordBytes, '\x01');  // six bytes each, once escaped
  for (int i = 0; i < 50; ++i) record.fields[std::to_string(i)] = std::string(1000, '\x01');
  Hash256 hash{};
  const std::string line = encode_record(record, {}, hash);
  EXPECT_LE(line.size(), kMaxLineBytes);
  const auto decoded = decode_record(line);
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_TRUE(decoded->record.text.ends_with("[cut]"));
  EXPECT_EQ(decoded->record.field("9"), "[cut]");
}

TEST(RunRecord, KeepsALineReadableThatHoldsNoUtf8) {
  RunRecord record = example();
  record.text = "\xff\xfe evidence";
  Hash256 hash{};
  EXPECT_TRUE(decode_record(encode_record(record, {}, hash)));
}

}  // namespace
}  // namespace anclora::respond

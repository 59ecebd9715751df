// The worked examples in docs/formats/ are what the code reads and writes today.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "storage/journal/command_frame_decoder.h"
#include "storage/journal/frame_codec.h"
#include "storage/journal/key_slot.h"
#include "storage/journal/log_entry.h"
#include "storage/journal/pack.h"
#include "storage/journal/stream_index_builder.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kEntryName = "sources/default/0000000003/log/00000000000000000007";
constexpr std::string_view kPackName = "sources/default/0000000003/pack/7-7";
const WallTime kTime{Duration(1'767'225'600'000'000)};

Bytes counting(std::size_t size, unsigned first) {
  Bytes bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(first + i));
  return bytes;
}

const ObjectKey& hashes_only() {
  static const ObjectKey key{std::nullopt, counting(16, 0xa0)};
  return key;
}
const ObjectKey& encrypted() {
  static const ObjectKey key{Secret(counting(32, 0)), counting(16, 0xa0)};
  return key;
}

std::filesystem::path documents() {
  for (auto at = std::filesystem::canonical("/proc/self/exe"); at.has_relative_path(); at = at.parent_path())
    if (std::filesystem::exists(at / "docs/formats")) return at / "docs/formats";
  return "docs/formats";
}

std::string read_document(std::string_view name) {
  std::ifstream file(documents() / name, std::ios::binary);
  EXPECT_TRUE(file.good()) << documents() / name;
  return {std::istreambuf_iterator<char>(file), {}};
}

// What stands in the block of a document that opens with ```<label>.
std::string block(std::string_view document, const std::string& label) {
  const std::string text = read_document(document);
  const std::string opening = "```" + label + "\n";
  const std::size_t begin = text.find(opening);
  if (begin == std::string::npos) return {};
  return text.substr(begin + opening.size(), text.find("```", begin + opening.size()) - begin - opening.size());
}

Bytes hex_block(std::string_view document, const std::string& label) {
  std::string digits;
  for (const char c : block(document, label))
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0) digits.push_back(c);
  return from_hex(digits).value_or(Bytes());
}

std::string in_lines(const std::string& hex) {
  std::string lines;
  for (std::size_t at = 0; at < hex.size(); at += 64) lines += hex.substr(at, 64) + "\n";
  return "the document should hold:\n" + lines;
}

LogEntry example_entry() {
  LogEntry entry;
  entry.predecessor = hash256("the entry before");
  entry.timeline.value = 3;
  entry.sequence = 7;
  std::copy_n("incarnation-0123", 16, entry.incarnation.begin());
  std::copy_n("holder-012345678", 16, entry.holder.begin());
  entry.epoch = 2;
  entry.replication_id = "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb";
  entry.first.value = 1048576;
  entry.bytes = "*1\r\n$4\r\nPING\r\n*1\r\n$8\r\nFLUSHALL\r\n";
  entry.last = entry.first + entry.bytes.size();
  entry.database = 5;
  entry.first_command = entry.first;
  entry.boundary = entry.last;
  entry.marks = {{entry.first + 14, kTime, MonoTime(Duration(5'000'000))},
                 {entry.last, kTime + Duration(100'000), MonoTime(Duration(5'100'000))}};
  entry.source_offset = entry.last;
  return entry;
}

StreamIndex example_index() {
  StreamIndexBuilder builder;
  const LogEntry entry = example_entry();
  builder.on_command({"PING", {}, 0, 5, {1048577}, {1048590}, std::nullopt, kTime});
  builder.on_command({"FLUSHALL", {}, 0, 5, {1048591}, {1048608}, std::nullopt, kTime + Duration(100'000)});
  builder.on_entry(entry, hash256(encode_log_entry(entry)));
  return builder.take();
}

TEST(FormatDocuments, ShowALogEntryAsItIsWritten) {
  const Bytes content = encode_log_entry(example_entry());
  EXPECT_EQ(to_hex(hex_block("log-entry.md", "entry")), to_hex(content)) << in_lines(to_hex(content));
}

// Compressed bytes may differ between versions of zstd, so what the documents hold of them is opened, not compared.
TEST(FormatDocuments, ShowAnEncryptedAndAnUnencryptedObject) {
  for (const auto& [label, key] : {std::pair{"encrypted", &encrypted()}, {"hashes-only", &hashes_only()}}) {
    SeededRandom random(1);
    const auto fresh = seal_object(*key, kEntryName, "hello", random);
    ASSERT_TRUE(fresh.has_value());
    const auto opened = open_object(*key, kEntryName, hex_block("object.md", label));
    ASSERT_TRUE(opened.has_value()) << label << ", " << in_lines(to_hex(*fresh));
    EXPECT_EQ(*opened, "hello");
  }
}

TEST(FormatDocuments, ShowTheBodyOfACommandFrame) {
  const auto command = [](const std::vector<std::string>& arguments) {
    std::string out = "*" + std::to_string(arguments.size()) + "\r\n";
    for (const std::string& each : arguments) out += "$" + std::to_string(each.size()) + "\r\n" + each + "\r\n";
    return out;
  };
  const Bytes plain = "\r\n" + command({"HSET", "job:99", "to", "042", "id", "abc", "name", "Ana", "text", "hi, Ana"}) +
                      command({"HSET", "job:100", "to", "999", "id", "001", "name", "Ana", "text", ""});
  const Bytes body = hex_block("command-frame.md", "body");
  CommandFrameDecoder decoder;
  body.copy(decoder.body(body.size()), body.size());
  EXPECT_EQ(decoder.decode(plain.size()), plain);
}

TEST(FormatDocuments, ShowAPack) {
  Bytes fresh;
  FrameCompressor compressor(FrameTuning::kCommands);
  SeededRandom random(1);
  PackWriter writer(hashes_only(), std::string(kEntryName.substr(0, kEntryName.size() - 20)), 7, compressor, random,
                    [&fresh](ByteView bytes) -> Status {
                      fresh += bytes;
                      return {};
                    });
  const Bytes content = encode_log_entry(example_entry());
  ASSERT_TRUE(writer.add(content).has_value());
  ASSERT_TRUE(writer.finish(kPackName, example_index()).has_value());

  const Bytes pack = hex_block("pack.md", "pack");
  const ByteView end = ByteView(pack).substr(pack.size() - std::min(pack.size(), kPackTrailerBytes));
  const auto trailer = decode_pack_trailer(end, pack.size());
  ASSERT_TRUE(trailer.has_value()) << in_lines(to_hex(fresh));
  std::vector<Bytes> contents;
  PackReader reader(hashes_only(), kPackName, [&contents](ByteView entry, const Hash256&) -> Status {
    contents.emplace_back(entry);
    return {};
  });
  ASSERT_TRUE(reader.feed(ByteView(pack).substr(0, trailer->index_offset)).has_value()) << in_lines(to_hex(fresh));
  ASSERT_TRUE(reader.finish().has_value());
  EXPECT_EQ(contents, std::vector<Bytes>{content}) << in_lines(to_hex(fresh));
  const auto index =
      open_pack_index(hashes_only(), kPackName, ByteView(pack).substr(trailer->index_offset, trailer->index_bytes));
  ASSERT_TRUE(index.has_value());
  EXPECT_EQ(encode_stream_index(*index), encode_stream_index(example_index())) << in_lines(to_hex(fresh));
}

TEST(FormatDocuments, ShowAnIndexWithItsKeyFilter) {
  const Bytes index = encode_stream_index(example_index());
  EXPECT_EQ(to_hex(hex_block("pack.md", "index")), to_hex(index)) << in_lines(to_hex(index));
  KeyFilterBuilder builder;
  builder.add("bull:mail:17");
  const Bytes filter = builder.take();
  EXPECT_EQ(to_hex(hex_block("pack.md", "filter")), to_hex(filter)) << in_lines(to_hex(filter));
}

TEST(FormatDocuments, ShowTwoKeySlotsThatOpen) {
  SeededRandom random(1);
  const Secret key(counting(32, 0));
  const Bytes id = counting(16, 0xa0);
  const Secret passphrase("correct horse battery staple");
  const Secret recovery = make_recovery_key(random);
  const auto wrapped = wrap_for_passphrase(key, id, passphrase, kTime, random);
  const auto recovered = wrap_for_recovery_key(key, id, recovery, kTime, random);
  ASSERT_TRUE(wrapped.has_value() && recovered.has_value());
  EXPECT_EQ(block("key-slot.md", "passphrase"), encode_key_slot(*wrapped));
  EXPECT_EQ(block("key-slot.md", "recovery"), encode_key_slot(*recovered));
  EXPECT_EQ(block("key-slot.md", "recovery-key"), recovery.reveal() + "\n");
  const auto slot = decode_key_slot(block("key-slot.md", "passphrase"));
  ASSERT_TRUE(slot.has_value());
  const auto opened = open_key_slot(*slot, passphrase);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->equals(key));
}

}  // namespace
}  // namespace anclora::storage

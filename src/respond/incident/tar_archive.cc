#include "respond/incident/tar_archive.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>

namespace anclora::respond {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMaxName = 100, kMaxPrefix = 155;
constexpr std::size_t kNameAt = 0, kModeAt = 100, kUidAt = 108, kGidAt = 116, kSizeAt = 124, kTimeAt = 136,
                      kSumAt = 148, kTypeAt = 156, kMagicAt = 257, kPrefixAt = 345;

void put(Bytes& header, std::size_t at, std::string_view text) { header.replace(at, text.size(), text); }

std::uint32_t checksum(ByteView header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool in_sum = i >= kSumAt && i < kSumAt + 8;
    sum += in_sum ? std::uint32_t{' '} : static_cast<std::uint8_t>(header[i]);
  }
  return sum;
}

Result<Bytes> header_of(const std::string& path, std::size_t size, WallTime time) {
  std::string prefix, name = path;
  if (name.size() > kMaxName) {
    const std::size_t slash = path.find_last_of('/');
    prefix = slash == std::string::npos ? "" : path.substr(0, slash);
    name = slash == std::string::npos ? path : path.substr(slash + 1);
  }
  if (name.empty() || name.size() > kMaxName || prefix.size() > kMaxPrefix)
    return Error(ErrorKind::kInvalidArgument, path + ": too long for an archive", "export into a folder");
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  Bytes header(kBlock, '\0');
  put(header, kNameAt, name);
  put(header, kModeAt, "0000644");
  put(header, kUidAt, "0000000");
  put(header, kGidAt, "0000000");
  put(header, kSizeAt, fmt::format("{:011o}", size));
  put(header, kTimeAt, fmt::format("{:011o}", seconds));
  put(header, kTypeAt, "0");
  put(header, kMagicAt, std::string_view("ustar\00000", 8));
  put(header, kPrefixAt, prefix);
  put(header, kSumAt, fmt::format("{:06o}", checksum(header)) + std::string("\0 ", 2));
  return header;
}

std::string text_at(ByteView header, std::size_t at, std::size_t most) {
  const std::string_view field = header.substr(at, most);
  return std::string(field.substr(0, field.find('\0')));
}

Error broken(std::size_t offset, std::string_view why) {
  return Error(ErrorKind::kDataLoss, fmt::format("byte {}: {}", offset, why), "it is no whole export of an incident");
}

bool is_safe(const std::string& path) {
  return !path.empty() && path.front() != '/' && ("/" + path + "/").find("/../") == std::string::npos;
}

struct Entry {
  std::string path;
  std::size_t size = 0;
};

Result<Entry> read_header(ByteView header, std::size_t offset) {
  if (header.substr(kMagicAt, 5) != "ustar" || header[kTypeAt] != '0')
    return broken(offset, "no header of a plain file");
  const std::string prefix = text_at(header, kPrefixAt, kMaxPrefix);
  Entry entry{(prefix.empty() ? "" : prefix + "/") + text_at(header, kNameAt, kMaxName), 0};
  if (!is_safe(entry.path)) return broken(offset, "a path that leads out of the archive");
  const std::string size = text_at(header, kSizeAt, 12);
  const auto parsed = std::from_chars(size.data(), size.data() + size.size(), entry.size, 8);
  if (size.empty() || parsed.ptr != size.data() + size.size()) return broken(offset, "its size is no number");
  if (text_at(header, kSumAt, 8) != fmt::format("{:06o}", checksum(header)))
    return broken(offset, "the checksum of the header of " + entry.path + " does not fit");
  return entry;
}

}  // namespace

Result<Bytes> write_tar(const ArchiveFiles& files, WallTime time) {
  Bytes archive;
  for (const auto& [path, content] : files) {
    ASSIGN_OR_RETURN(const Bytes header, header_of(path, content.size(), time));
    archive += header + content;
    archive.resize((archive.size() + kBlock - 1) / kBlock * kBlock, '\0');
  }
  archive.append(2 * kBlock, '\0');
  return archive;
}

Result<ArchiveFiles> read_tar(ByteView archive) {
  ArchiveFiles files;
  std::size_t at = 0;
  while (true) {
    if (archive.size() - at < kBlock) return broken(at, "cut: no end of the archive");
    const ByteView header = archive.substr(at, kBlock);
    if (header.find_first_not_of('\0') == ByteView::npos) return files;
    ASSIGN_OR_RETURN(const Entry entry, read_header(header, at));
    at += kBlock;
    if (entry.size > archive.size() - at) return broken(at, "cut within " + entry.path);
    if (!files.emplace(entry.path, archive.substr(at, entry.size)).second)
      return broken(at, entry.path + " stands there twice");
    const std::size_t padded = (entry.size + kBlock - 1) / kBlock * kBlock;
    if (padded > archive.size() - at) return broken(at, "cut after " + entry.path);
    at += padded;
  }
}

}  // namespace anclora::respond

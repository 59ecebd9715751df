#include "respond/runbook/journal_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace anclora::respond {
namespace {

constexpr std::string_view kPrefix = "journal-";
constexpr std::string_view kSuffix = ".jsonl";

// Whether a whole record stands after the beginning: one whose line was run together with the line before it.
bool holds_a_later_record(std::string_view rest) {
  constexpr std::string_view kBegin = "{\"v\":";
  constexpr std::string_view kHash = ",\"hash\":\"";
  for (std::size_t hash = rest.find(kHash); hash != std::string_view::npos; hash = rest.find(kHash, hash + 1)) {
    const std::size_t begin = rest.rfind(kBegin, hash);
    if (begin == 0 || begin == std::string_view::npos) continue;
    if (decode_line(rest.substr(begin, hash + kHash.size() + 64 + 2 - begin))) return true;
  }
  return false;
}

// What a kill or a power cut left at the end: bytes without any whole JSON line. A changed record is one still.
bool is_torn(std::string_view bytes) {
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    if (nlohmann::json::accept(rest.substr(0, end))) return false;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return !holds_a_later_record(bytes);
}

// Why the line may not stand there; empty when it may.
std::string misplaced(const Result<DecodedLine>& decoded, bool has_newline, const ChainEnd& end) {
  if (!decoded) return decoded.error().message();
  if (!has_newline) return "cut";
  if (decoded->previous != end.tip) return "it does not follow the line before it";
  if (decoded->line.number != end.count + 1) return "its number is not the next";
  return {};
}

// Reads one segment's lines onto `end`.
Status read_segment(const std::string& path, std::string_view bytes, std::string_view hint, ChainEnd& end,
                    const TakeLine& take) {
  for (std::size_t number = 1; !bytes.empty(); ++number) {
    const auto broken = [&](std::string_view why) {
      return Error(ErrorKind::kDataLoss, fmt::format("{}:{}: {}", path, number, why), std::string(hint));
    };
    const std::size_t newline = bytes.find('\n');
    const bool has_newline = newline != std::string_view::npos;
    const std::string_view line = bytes.substr(0, newline);
    auto decoded = decode_line(line);
    if ((!has_newline || !decoded) && (is_torn(bytes) || (decoded && !has_newline))) {
      end.torn_bytes += bytes.size();
      return {};
    }
    if (const std::string why = misplaced(decoded, has_newline, end); !why.empty()) return broken(why);
    end.tip = decoded->hash;
    ++end.count;
    if (const Status taken = take(std::move(*decoded), line); !taken) return broken(taken.error().message());
    bytes.remove_prefix(newline + 1);
  }
  return {};
}

// Whether segments after this one are there, which nobody could have written without it.
Result<bool> has_later_segment(FileSystem& files, const std::string& folder, const std::string& path) {
  const auto listed = files.list(folder);
  if (!listed && listed.error().kind() == ErrorKind::kNotFound) return false;
  if (!listed) return listed.error();
  const std::string name = path.substr(folder.size() + 1);
  return std::ranges::any_of(*listed, [&](const FileInfo& file) {
    return file.name.size() == name.size() && file.name.starts_with(kPrefix) && file.name.ends_with(kSuffix) &&
           file.name > name;
  });
}

}  // namespace

std::string segment_path(const std::string& folder, std::uint64_t segment) {
  return fmt::format("{}/{}{:06}{}", folder, kPrefix, segment, kSuffix);
}

Status read_chain(FileSystem& files, const std::string& folder, std::string_view hint, ChainEnd& end,
                  const TakeLine& take) {
  while (end.segments < kMaxSegments) {
    const std::string path = segment_path(folder, end.segments + 1);
    auto bytes = files.read_all(path, kMaxJournalBytes);
    if (!bytes && bytes.error().kind() == ErrorKind::kNotFound) {
      ASSIGN_OR_RETURN(const bool removed, has_later_segment(files, folder, path));
      if (!removed) break;
      if (files.stat(path)) continue;  // written with the later one since we looked
      return Error(ErrorKind::kDataLoss, path + ": missing, and later ones are there", std::string(hint));
    }
    if (!bytes) return bytes.error();
    end.bytes += bytes->size();
    if (end.bytes > kMaxJournalBytes)
      return Error(ErrorKind::kResourceExhausted, folder + ": the journal is too large");
    ++end.segments;
    RETURN_IF_ERROR(read_segment(path, *bytes, hint, end, take));
  }
  return {};
}

Result<std::unique_ptr<ChainWriter>> ChainWriter::open(FileSystem& files, const std::string& folder,
                                                       const ChainEnd& end) {
  if (end.segments >= kMaxSegments)
    return Error(ErrorKind::kResourceExhausted, folder + ": the journal has too many segments", "start a new one");
  std::unique_ptr<ChainWriter> writer(new ChainWriter);
  writer->path_ = segment_path(folder, end.segments + 1);
  writer->number_ = end.count;
  writer->tip_ = end.tip;
  writer->bytes_ = end.bytes;
  ASSIGN_OR_RETURN(writer->file_, files.create(writer->path_));
  RETURN_IF_ERROR(files.sync_directory(folder));
  return writer;
}

Status ChainWriter::write(std::string line, bool sync) {
  if (file_ == nullptr) return Error(ErrorKind::kIo, path_ + ": given up after a failed write");
  const auto written = [&]() -> Status {
    if (bytes_ + line.size() + 1 > kMaxJournalBytes)
      return Error(ErrorKind::kResourceExhausted, path_ + ": the journal is too large");
    RETURN_IF_ERROR(file_->append(line + "\n"));
    return sync ? file_->sync() : Status();
  }();
  if (!written) {
    file_.reset();
    return written.error().with_context("the journal");
  }
  bytes_ += line.size() + 1;
  last_line_ = std::move(line);
  return {};
}

Status ChainWriter::append(ChainedLine& line, std::string_view kind, WallTime now, bool sync) {
  line.number = number_ + 1;
  line.time = now;
  Hash256 hash{};
  RETURN_IF_ERROR(write(encode_line(line, kind, tip_, hash), sync));
  number_ = line.number;
  tip_ = hash;
  return {};
}

Status ChainWriter::sync() { return file_ != nullptr ? file_->sync() : Error(ErrorKind::kIo, path_ + ": given up"); }

Status ChainWriter::adopt(const std::string& line, const Hash256& previous, const Hash256& hash, std::uint64_t number) {
  if (previous != tip_ || number != number_ + 1)
    return Error(ErrorKind::kDataLoss,
                 fmt::format("line {} of the copy does not follow the one before it", number_ + 1));
  RETURN_IF_ERROR(write(line, false));
  number_ = number;
  tip_ = hash;
  return {};
}

}  // namespace anclora::respond

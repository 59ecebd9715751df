#include "storage/store/store.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/store/object_name.h"

namespace anclora::storage {
namespace {

class FileBody final : public Body {
 public:
  explicit FileBody(std::unique_ptr<ReadableFile> file) : file_(std::move(file)) {}
  std::uint64_t size_bytes() const override { return file_->size_bytes(); }
  Result<Bytes> read(std::uint64_t offset, std::size_t size) const override { return file_->read(offset, size); }

 private:
  std::unique_ptr<ReadableFile> file_;
};

bool is_component_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '=' || c == '+' || c == '-';
}

}  // namespace

bool is_object_name_component(std::string_view component) {
  return !component.empty() && component.size() <= kMaxComponentBytes && component != "." && component != ".." &&
         std::ranges::all_of(component, is_component_char);
}

bool is_object_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxObjectNameBytes) return false;
  while (true) {
    const std::size_t slash = name.find('/');
    if (!is_object_name_component(name.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

Status check_object_name(std::string_view name) {
  if (is_object_name(name)) return {};
  return Error(ErrorKind::kInvalidArgument,
               fmt::format("\"{}\" is not an object name", printable_name(name.substr(0, kMaxObjectNameBytes))),
               "a name is '/'-separated parts of 1 to 128 letters, digits and ._=+- (not \".\" or \"..\"), at most 512 "
               "bytes in all");
}

Status check_list_prefix(std::string_view prefix) {
  const std::size_t slash = prefix.rfind('/');
  const std::string_view parents = slash == std::string_view::npos ? std::string_view() : prefix.substr(0, slash);
  const std::string_view rest = slash == std::string_view::npos ? prefix : prefix.substr(slash + 1);
  const bool parents_legal = slash == std::string_view::npos || is_object_name(parents);
  if (parents_legal && std::ranges::all_of(rest, is_component_char) && prefix.size() <= kMaxObjectNameBytes) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is not the beginning of an object name",
                                                        printable_name(prefix.substr(0, kMaxObjectNameBytes))));
}

std::string printable_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '\\') {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

Result<Bytes> MemoryBody::read(std::uint64_t offset, std::size_t size) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset) {
    return Error(ErrorKind::kDataLoss,
                 fmt::format("a body of {} bytes was asked for {} bytes at {}", bytes_.size(), size, offset));
  }
  return Bytes(bytes_.substr(offset, size));
}

Result<std::unique_ptr<Body>> file_body(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(auto file, files.open(path));
  return std::unique_ptr<Body>(std::make_unique<FileBody>(std::move(file)));
}

Result<WallTime> time_for_reading(ReadStore& store, Clock& clock) {
  Result<WallTime> now = store.now();
  if (!now.has_value() && now.error().kind() == ErrorKind::kPermissionDenied) return clock.wall_now();
  return now;
}

}  // namespace anclora::storage

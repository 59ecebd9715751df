#include "storage/store/s3_listing.h"

#include <fmt/format.h>

#include <charconv>

#include "storage/store/object_name.h"
#include "storage/store/xml_reader.h"

namespace anclora::storage {
namespace {

constexpr std::uint64_t kMaxEntries = 10'000'000;

// "a%2Bb+c" → "a+b c", as encoding-type=url writes it.
Result<std::string> url_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte.has_value() || byte->size() != 1) {
        return Error(ErrorKind::kDataLoss, fmt::format("a name is badly encoded: {}", printable_name(text)));
      }
      out += *byte;
      i += 2;
    }
  }
  return out;
}

}  // namespace

S3ListingReader::S3ListingReader(std::string root, std::string prefix, bool delimited)
    : root_(std::move(root)), prefix_(std::move(prefix)), delimited_(delimited), builder_(prefix_, delimited) {}

std::vector<std::pair<std::string, std::string>> S3ListingReader::next_query() const {
  // Encoded names: a foreign key may hold what XML cannot.
  std::vector<std::pair<std::string, std::string>> query = {
      {"list-type", "2"}, {"prefix", root_ + prefix_}, {"encoding-type", "url"}, {"max-keys", "1000"}};
  if (delimited_) query.emplace_back("delimiter", "/");
  if (!token_.empty()) query.emplace_back("continuation-token", token_);
  return query;
}

Result<std::string> S3ListingReader::name_in(const std::string& text, bool encoded) const {
  std::string key = text;
  if (encoded) {
    ASSIGN_OR_RETURN(key, url_decode(text));
  }
  if (!key.starts_with(root_ + prefix_)) {
    return Error(ErrorKind::kDataLoss, fmt::format("the server lists {} outside the prefix", printable_name(key)));
  }
  return key.substr(root_.size());
}

Result<bool> S3ListingReader::take_page(std::string_view xml) {
  ASSIGN_OR_RETURN(const XmlElement root, parse_xml(xml));
  if (root.name != "ListBucketResult") {
    return Error(ErrorKind::kDataLoss, fmt::format("the server answered a list with {}", printable_name(root.name)));
  }
  const bool encoded = root.child_text("EncodingType") == "url";
  for (const XmlElement& child : root.children) {
    if (child.name != "Contents" && child.name != "CommonPrefixes") continue;
    if (++entries_ > kMaxEntries) return Error(ErrorKind::kResourceExhausted, "the listing has too many entries");
    if (child.name == "CommonPrefixes") {
      ASSIGN_OR_RETURN(std::string name, name_in(child.child_text("Prefix"), encoded));
      builder_.add_prefix(std::move(name));
      continue;
    }
    ObjectInfo info;
    ASSIGN_OR_RETURN(info.name, name_in(child.child_text("Key"), encoded));
    const std::string size = child.child_text("Size");
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), info.size_bytes);
    if (error != std::errc() || end != size.data() + size.size()) {
      return Error(ErrorKind::kDataLoss, fmt::format("{} is listed without a size", printable_name(info.name)));
    }
    ASSIGN_OR_RETURN(info.modified, parse_rfc3339(child.child_text("LastModified")));
    builder_.add(std::move(info));
  }
  if (root.child_text("IsTruncated") != "true") return false;
  const std::string token = root.child_text("NextContinuationToken");
  if (token.empty() || token == token_) {
    return Error(ErrorKind::kDataLoss, "the server says that the listing goes on, but not where");
  }
  token_ = token;
  return true;
}

}  // namespace anclora::storage

// Reads the pages of ListObjectsV2.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "storage/store/listing_builder.h"

namespace anclora::storage {

// One thread. `root` is the store's own prefix within the bucket ("" or "a/b/"), taken off every name.
class S3ListingReader {
 public:
  S3ListingReader(std::string root, std::string prefix, bool delimited);
  // The query of the next page, not encoded.
  std::vector<std::pair<std::string, std::string>> next_query() const;
  // Whether another page follows. kDataLoss for malformed XML, a name outside the prefix, or a page that does not move
  // on; kResourceExhausted past ten million entries.
  Result<bool> take_page(std::string_view xml);
  Listing take() { return builder_.take(); }

 private:
  Result<std::string> name_in(const std::string& text, bool encoded) const;

  std::string root_;
  std::string prefix_;
  bool delimited_;
  std::string token_;
  std::uint64_t entries_ = 0;
  ListingBuilder builder_;
};

}  // namespace anclora::storage

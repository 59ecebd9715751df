// Sorts what a store found into a Listing: ours, rolled up, foreign.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store/store.h"

namespace anclora::storage {

// One thread. Names are full object names that begin with the prefix; take() may be called once.
class ListingBuilder {
 public:
  ListingBuilder(std::string_view prefix, bool delimited) : prefix_(prefix), delimited_(delimited) {}
  // A legal name is kept or rolled up, any other becomes foreign.
  void add(ObjectInfo object);
  // A roll-up that the store made itself ("a/b/").
  void add_prefix(std::string prefix);
  void add_foreign(std::string_view name);
  Listing take();

 private:
  std::string prefix_;
  bool delimited_;
  std::vector<ObjectInfo> objects_;
  std::set<std::string> prefixes_;
  std::set<std::string> foreign_;
};

}  // namespace anclora::storage

// Proves that a store's put-if-absent is one, before anything is entrusted to it.
#pragma once

#include <string>

#include "base/random.h"
#include "storage/store/store.h"

namespace anclora::storage {

// Puts different bytes twice under one random name ("probe/<hex>"): the first must create, the second must answer
// exists, and the first bytes must stand. Answers the probe's name, for a caller with the right to remove it.
// kUnsupported, naming the server's fault, when the store overwrites; any other error is the store's own.
Result<std::string> prove_put_if_absent(AppendStore& store, Random& random);

}  // namespace anclora::storage

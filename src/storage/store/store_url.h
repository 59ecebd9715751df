// Opens a store by what a person types: a path, file:///path, or s3://bucket/prefix.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "storage/store/aws_credentials.h"
#include "storage/store/retry_store.h"
#include "storage/store/store.h"

namespace anclora::storage {

// What was given on the command line; empty: from the environment and the AWS files.
struct S3Settings {
  std::string endpoint = {};
  std::string region = {};
  std::string ca_file = {};
  std::optional<bool> path_style = {};  // by default, path style when an endpoint is given
};

// The references outlive every store opened with it.
struct StoreContext {
  FileSystem& files;
  Clock& clock;
  Random& random;
  Environment environment;
  S3Settings s3;
  RetryOptions retry;
};

// A store wrapped in RetryStore; nothing is read or written yet. kInvalidArgument for a malformed URL.
Result<std::unique_ptr<Store>> open_store(std::string_view url, const StoreContext& context);

}  // namespace anclora::storage

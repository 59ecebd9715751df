#include "storage/store/store_url.h"

#include <fmt/format.h>

#include "storage/store/folder_store.h"
#include "storage/store/object_name.h"
#include "storage/store/s3_store.h"

namespace anclora::storage {
namespace {

constexpr std::string_view kForms = "write a path, file:///path or s3://bucket/prefix";

Error malformed(std::string_view url, std::string_view why) {
  return Error(ErrorKind::kInvalidArgument, fmt::format("\"{}\" names no repository: {}", printable_name(url), why),
               std::string(kForms));
}

std::string first_of(const std::string& preferred, const std::string& otherwise) {
  return preferred.empty() ? otherwise : preferred;
}

Result<std::string> file_path(std::string_view url, std::string_view rest) {
  if (!rest.starts_with('/')) return malformed(url, "file:// is followed by an absolute path (three slashes)");
  std::string path;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != '%') {
      path += rest[i];
      continue;
    }
    const auto byte = from_hex(rest.substr(i + 1, 2));
    if (!byte.has_value() || byte->size() != 1 || byte->front() == '\0') return malformed(url, "a % is badly encoded");
    path += *byte;
    i += 2;
  }
  return path;
}

std::unique_ptr<Store> with_retry(std::unique_ptr<Store> store, const StoreContext& context) {
  return std::make_unique<RetryStore>(std::move(store), context.clock, context.random, context.retry);
}

Result<std::unique_ptr<Store>> open_s3(std::string_view url, std::string_view rest, const StoreContext& context) {
  if (rest.find_first_of("?#@") != std::string_view::npos) {
    return malformed(url,
                     "it may hold neither credentials nor options; they come from the environment and the options");
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  S3Options options;
  options.bucket = rest.substr(0, slash);
  options.prefix = slash < rest.size() ? rest.substr(slash + 1) : "";
  if (options.bucket.empty()) return malformed(url, "the bucket is missing");
  if (!options.prefix.empty() && !is_object_name(options.prefix)) {
    return malformed(url, "the prefix may hold '/'-separated parts of letters, digits and ._=+- only");
  }
  ASSIGN_OR_RETURN(const AwsSettings settings, aws_settings(context.environment, context.files));
  options.endpoint = first_of(context.s3.endpoint, settings.endpoint);
  options.region = first_of(context.s3.region, settings.region);
  options.http.ca_file = first_of(context.s3.ca_file, settings.ca_file);
  options.path_style = context.s3.path_style.value_or(!options.endpoint.empty());
  if (options.region.empty() && options.endpoint.empty()) {
    return Error(ErrorKind::kInvalidArgument, fmt::format("the region of {} is not known", url),
                 "set AWS_REGION, for example to eu-central-1, or AWS_ENDPOINT_URL for another server");
  }
  if (options.region.empty()) options.region = "us-east-1";
  auto credentials = std::make_unique<AwsCredentialsProvider>(context.environment, context.files, context.clock);
  ASSIGN_OR_RETURN(auto store, S3Store::open(std::move(options), std::move(credentials), context.clock));
  return with_retry(std::move(store), context);
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(std::string_view url, const StoreContext& context) {
  if (url.empty()) return malformed(url, "it is empty");
  if (url.find('\0') != std::string_view::npos) return malformed(url, "it holds a zero byte");
  constexpr std::string_view kS3 = "s3://";
  constexpr std::string_view kFile = "file://";
  if (url.starts_with(kS3)) return open_s3(url, url.substr(kS3.size()), context);
  std::string path(url);
  if (url.starts_with(kFile)) {
    ASSIGN_OR_RETURN(path, file_path(url, url.substr(kFile.size())));
  } else if (url.find("://") != std::string_view::npos || url.starts_with("s3:") || url.starts_with("file:")) {
    return malformed(url, "the scheme is not known");
  }
  return with_retry(std::make_unique<FolderStore>(context.files, context.random, path), context);
}

}  // namespace anclora::storage

#include "app/cli/command_context.h"

#include <fmt/ranges.h>

#include "base/secret_file.h"
#include "storage/store/store_url.h"

namespace anclora::app {

std::stop_source& stop_source() {
  static std::stop_source source;
  return source;
}

bool stop_requested() { return stop_source().stop_requested(); }

namespace {

Result<std::unique_ptr<storage::Store>> open_with(const CommandContext& context, const std::string& url,
                                                  storage::RetryOptions retry) {
  if (url.empty())
    return Error(ErrorKind::kInvalidArgument, "no repository was named",
                 "give --repo PATH or --repo s3://bucket/prefix, or set ANCLORA_REPO");
  const GlobalOptions& options = context.options;
  storage::StoreContext store_context{context.files,   context.clock, context.random, context.environment, {},
                                      std::move(retry)};
  store_context.s3.endpoint = options.s3_endpoint;
  store_context.s3.region = options.s3_region;
  store_context.s3.ca_file = options.s3_ca_file;
  if (options.s3_path_style) store_context.s3.path_style = true;
  return storage::open_store(url, store_context);
}

}  // namespace

Result<std::unique_ptr<storage::Store>> CommandContext::open_store(const std::string& url) const {
  storage::RetryOptions retry;
  retry.stop = stop_source().get_token();
  return open_with(*this, url, std::move(retry));
}

Result<std::unique_ptr<storage::Store>> CommandContext::open_store(const std::string& url, Duration patience) const {
  storage::RetryOptions retry;
  retry.deadline = patience;
  retry.stop = stop_source().get_token();
  return open_with(*this, url, std::move(retry));
}

Result<std::unique_ptr<storage::AppendStore>> CommandContext::open_store_for_capture() const {
  storage::RetryOptions retry;
  retry.deadline = std::chrono::seconds(5);
  ASSIGN_OR_RETURN(std::unique_ptr<storage::Store> store, open_with(*this, options.repo, std::move(retry)));
  return std::unique_ptr<storage::AppendStore>(std::move(store));
}

Result<storage::Unlock> CommandContext::unlock(bool needed) const {
  storage::Unlock unlock;
  if (!options.recovery_key_file.empty()) {
    ASSIGN_OR_RETURN(unlock.recovery_key, read_secret_file(files, options.recovery_key_file));
  } else if (!options.passphrase_file.empty()) {
    ASSIGN_OR_RETURN(unlock.passphrase, read_secret_file(files, options.passphrase_file));
  } else if (const auto given = environment("ANCLORA_PASSPHRASE"); given && !given->empty()) {
    unlock.passphrase = Secret(*given);  // as serve hands it to its children
  } else if (needed) {
    auto typed = prompt_secret("Passphrase of the repository: ");
    if (!typed) return typed.error().with_hint("give --passphrase-file FILE or set ANCLORA_PASSPHRASE_FILE");
    unlock.passphrase = std::move(*typed);
  }
  return unlock;
}

Result<storage::Repository> CommandContext::open_repository(storage::ReadStore& store) const {
  ASSIGN_OR_RETURN(const storage::Unlock given, unlock(false));
  auto repository = storage::Repository::open(store, given);
  const bool secret_missing = !given.passphrase && !given.recovery_key;
  if (repository || !secret_missing || repository.error().kind() != ErrorKind::kUnauthenticated) return repository;
  ASSIGN_OR_RETURN(const storage::Unlock typed, unlock(true));
  return storage::Repository::open(store, typed);
}

Result<std::string> CommandContext::choose_source(storage::ReadStore& store, const std::string& name) const {
  if (!name.empty()) {
    // A copy that was taken before --replace is named as restore printed it.
    if (!name.starts_with("safety/")) RETURN_IF_ERROR(storage::check_source_name(name));
    return name;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> sources, storage::list_sources(store));
  if (sources.empty())
    return Error(ErrorKind::kNotFound, store.describe() + " holds no source yet",
                 "protect one: anclora capture --source redis://HOST:6379");
  if (sources.size() > 1)
    return Error(ErrorKind::kInvalidArgument,
                 fmt::format("the repository holds several sources: {}", fmt::join(sources, ", ")),
                 "name one with --name");
  return sources.front();
}

}  // namespace anclora::app

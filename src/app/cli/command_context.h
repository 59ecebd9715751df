// What every command is given: where to print, the world's effects, and the options all commands share.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/socket.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace CLI {
class App;
}

namespace anclora::app {

struct GlobalOptions {
  std::string repo;               // --repo or ANCLORA_REPO
  std::string passphrase_file;    // --passphrase-file or ANCLORA_PASSPHRASE_FILE
  std::string recovery_key_file;  // --recovery-key-file
  bool json = false;
  // S3 only:
  std::string s3_endpoint, s3_region, s3_ca_file;
  bool s3_path_style = false;
};

// Requested by SIGINT and SIGTERM (by a thread of their own, never in the handler); long work asks between two steps.
std::stop_source& stop_source();
bool stop_requested();

struct CommandContext {
  std::ostream& out;
  std::ostream& err;
  Clock& clock;
  Random& random;
  FileSystem& files;
  Dialer& dialer;
  std::function<std::optional<std::string>(const std::string&)> environment;
  GlobalOptions options;
  // The chosen command: its process exit code, or the error that is printed with its hint.
  std::function<Result<int>()> action;

  // The store that --repo names. kInvalidArgument with a hint when none was given.
  Result<std::unique_ptr<storage::Store>> open_store() const { return open_store(options.repo); }
  Result<std::unique_ptr<storage::Store>> open_store(const std::string& url) const;
  // The same, for who must not wait: each call gives up `patience` after it began.
  Result<std::unique_ptr<storage::Store>> open_store(const std::string& url, Duration patience) const;
  // The same for capture, which retries by itself and spools meanwhile: each call gives up after seconds.
  Result<std::unique_ptr<storage::AppendStore>> open_store_for_capture() const;
  // From --recovery-key-file, --passphrase-file, the environment or, where there is a terminal, a prompt (`needed`).
  Result<storage::Unlock> unlock(bool needed) const;
  // Opens the repository, asking for a passphrase only when it is encrypted.
  Result<storage::Repository> open_repository(storage::ReadStore& store) const;
  // The named source, or the only one. kInvalidArgument naming those there are.
  Result<std::string> choose_source(storage::ReadStore& store, const std::string& name) const;
};

// Each command adds itself to the application; the callback sets context.action.
void add_doctor_command(CLI::App& app, CommandContext& context);
void add_init_command(CLI::App& app, CommandContext& context);
void add_key_command(CLI::App& app, CommandContext& context);
void add_capture_command(CLI::App& app, CommandContext& context);
void add_status_command(CLI::App& app, CommandContext& context);
void add_history_command(CLI::App& app, CommandContext& context);
void add_tag_command(CLI::App& app, CommandContext& context);
void add_find_command(CLI::App& app, CommandContext& context);
void add_restore_command(CLI::App& app, CommandContext& context);
void add_bisect_command(CLI::App& app, CommandContext& context);
void add_verify_command(CLI::App& app, CommandContext& context);
void add_expire_command(CLI::App& app, CommandContext& context);
void add_mirror_command(CLI::App& app, CommandContext& context);
void add_rdb_command(CLI::App& app, CommandContext& context);
void add_plan_command(CLI::App& app, CommandContext& context);
void add_run_command(CLI::App& app, CommandContext& context);
void add_drill_command(CLI::App& app, CommandContext& context);
void add_detect_command(CLI::App& app, CommandContext& context);
void add_serve_command(CLI::App& app, CommandContext& context);
void add_incident_command(CLI::App& app, CommandContext& context);

}  // namespace anclora::app

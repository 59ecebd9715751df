#include "redis/scratch/scratch_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/remove_tree.h"
#include "redis/scratch/available_memory.h"
#include "redis/scratch/replication_errors.h"

namespace anclora::redis {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(5);
constexpr Version kOldest{6, 2, 0};
constexpr Version kDebugIsProtected{7, 0, 0};
constexpr std::size_t kLogEndBytes = 600;
constexpr std::size_t kWorkDirectoryLimit = 64;  // a Unix socket's path has at most 107 bytes

std::string quoted(const std::string& path) {
  std::string out = "\"";
  for (const char c : path) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

Result<std::string> make_private_directory(FileSystem& files, const std::string& parent, Random& random) {
  std::string path = parent + "/anclora-scratch-" + to_hex(random.bytes(8));
  RETURN_IF_ERROR(files.create_directories(path));
  return path;
}

// "... v=7.0.15 sha=..." of Redis and Valkey alike.
std::optional<Version> version_in(std::string_view text) {
  const std::size_t at = text.find(" v=");
  return at == std::string_view::npos ? std::nullopt : Version::parse(text.substr(at + 3));
}

// Tells a full disk, on which a program's output would look like that of one that says nothing.
Status begin_output(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(const auto file, files.create(path));
  RETURN_IF_ERROR(file->append("\n"));
  return file->close();
}

Result<Bytes> version_text(const SubprocessOptions& options, FileSystem& files) {
  RETURN_IF_ERROR(begin_output(files, options.output_file));
  const auto process = Subprocess::start(options);
  if (!process) return process.error().with_hint("install redis-server, or give its path with --redis-server");
  if (!(*process)->wait(std::chrono::seconds(10)))
    return Error(ErrorKind::kDeadlineExceeded, options.argv.front() + " --version does not end",
                 "is it a redis-server? give its path with --redis-server");
  return files.read_all(options.output_file, 64 * kKiB);
}

}  // namespace

Result<Version> ScratchServer::program_version(const std::string& program, const std::string& work_directory,
                                               FileSystem& files, Random& random) {
  ASSIGN_OR_RETURN(const std::string directory, make_private_directory(files, work_directory, random));
  SubprocessOptions options;
  options.argv = {program, "--version"};
  options.output_file = directory + "/version";
  const Result<Bytes> text = version_text(options, files);
  // A file that cannot be removed stays behind in the temporary folder: nothing else depends on it.
  ignore_result(remove_tree(files, directory));
  RETURN_IF_ERROR(text);
  const auto version = version_in(*text);
  if (!version)
    return Error(ErrorKind::kFailedPrecondition, program + " is no redis-server: it does not tell its version");
  return *version;
}

ScratchServer::ScratchServer(const ScratchServerOptions& options, FileSystem& files, Dialer& dialer, Clock& clock)
    : options_(options), files_(files), dialer_(dialer), clock_(clock) {}

ScratchServer::~ScratchServer() { stop(); }

Result<std::unique_ptr<ScratchServer>> ScratchServer::start(const ScratchServerOptions& options, FileSystem& files,
                                                            Dialer& dialer, Clock& clock, Random& random) {
  RETURN_IF_ERROR(check_available_memory(options.memory_needed_bytes, "a scratch server"));
  std::unique_ptr<ScratchServer> server(new ScratchServer(options, files, dialer, clock));
  ASSIGN_OR_RETURN(server->version_, program_version(options.program, options.work_directory, files, random));
  const Version needed = std::max(options.at_least.value_or(kOldest), kOldest);
  if (server->version_ < needed)
    return Error(ErrorKind::kFailedPrecondition,
                 fmt::format("{} is version {}, but {} or later is needed to load this data", options.program,
                             server->version_.to_string(), needed.to_string()),
                 "give the path of a newer one with --redis-server");
  RETURN_IF_ERROR(server->launch(random));
  RETURN_IF_ERROR(server->check_product());
  return server;
}

Status ScratchServer::write_config() {
  std::string text = fmt::format(
      "port 0\nunixsocket {0}\nunixsocketperm 700\nrequirepass {1}\ndir {2}\nlogfile {3}\ndaemonize no\nsave \"\"\n"
      "appendonly no\nrdbcompression no\nrdbchecksum yes\nmaxmemory 0\ndatabases {4}\nrepl-diskless-load swapdb\n"
      "replica-lazy-flush yes\nrepl-timeout 600\nactiverehashing no\n",
      quoted(directory_ + "/socket"), password_.reveal(), quoted(directory_), quoted(directory_ + "/log"),
      options_.databases);
  if (version_ >= kDebugIsProtected) text += "enable-debug-command yes\n";
  for (const std::string& module : options_.modules) text += "loadmodule " + quoted(module) + "\n";
  ASSIGN_OR_RETURN(const auto file, files_.create(directory_ + "/redis.conf"));
  RETURN_IF_ERROR(file->append(text));
  return file->close();
}

Status ScratchServer::launch(Random& random) {
  if (options_.work_directory.size() > kWorkDirectoryLimit)
    return Error(ErrorKind::kInvalidArgument,
                 "the path " + options_.work_directory + " is too long for the scratch server's socket in it");
  ASSIGN_OR_RETURN(directory_, make_private_directory(files_, options_.work_directory, random));
  password_ = Secret(to_hex(random.bytes(32)));
  RETURN_IF_ERROR(write_config());
  SubprocessOptions start;
  start.argv = {options_.program, directory_ + "/redis.conf"};
  start.working_directory = directory_;
  start.output_file = directory_ + "/output";
  ASSIGN_OR_RETURN(process_, Subprocess::start(start));
  const MonoTime deadline = clock_.mono_now() + options_.start_timeout;
  while (true) {
    const Status connected = connect();
    if (connected) return {};
    if (process_->wait(Duration::zero()))
      return Error(ErrorKind::kFailedPrecondition, "the scratch server ended at once: " + log_end());
    if (clock_.mono_now() > deadline) return connected.error().with_context("the scratch server does not answer");
    clock_.sleep_for(kPoll);
  }
}

Status ScratchServer::check_product() const {
  ASSIGN_OR_RETURN(const Info info, explained(client_->info("server")));
  const auto product = product_of(info);
  if (!product) return {};
  const std::string is = fmt::format("{} is {}, which ", options_.program, product->to_string());
  if (options_.loads && is_known_rdb(*options_.loads) && !loads_rdb(*product, *options_.loads))
    return Error(ErrorKind::kFailedPrecondition, is + "cannot load " + options_.loads->to_string(),
                 "give one of the source's kind and version with --redis-server");
  const RdbMagic saved = newest_rdb_of(*product);
  if (options_.saves_for && !loads_rdb(*options_.saves_for, saved))
    return Error(ErrorKind::kFailedPrecondition,
                 fmt::format("{}saves {}: the source, {}, could not load it; give one of the source's version with "
                             "--redis-server, or let the source make the bases: anclora capture --base-from source",
                             is, saved.to_string(), options_.saves_for->to_string()));
  return {};
}

RedisUrl ScratchServer::url() const {
  RedisUrl url;
  url.endpoint = {directory_ + "/socket", 0};
  url.password = password_;
  return url;
}

Status ScratchServer::connect() {
  ClientOptions options;
  options.connect_timeout = std::chrono::seconds(2);
  ASSIGN_OR_RETURN(client_, Client::connect(url(), dialer_, clock_, options));
  return {};
}

std::string ScratchServer::log_end() const {
  std::string text;
  for (const char* name : {"/log", "/output"}) text += files_.read_all(directory_ + name, 16 * kMiB).value_or("");
  return text.size() <= kLogEndBytes ? text : "…" + text.substr(text.size() - kLogEndBytes);
}

Error ScratchServer::died(const Error& error) const {
  if (process_ && !process_->wait(Duration::zero())) return error;
  return Error(ErrorKind::kUnavailable, "the scratch server died: " + log_end(),
               "its data may not suit its version, its modules or the memory of this machine");
}

template <class T>
Result<T> ScratchServer::explained(Result<T> result) const {
  if (!result) return died(result.error());
  return result;
}

Status ScratchServer::follow(const Endpoint& feeder, const Secret& password) {
  const std::string port = std::to_string(feeder.port);
  RETURN_IF_ERROR(explained(client_->command({"CONFIG", "SET", "masterauth", password.reveal()})));
  RETURN_IF_ERROR(explained(client_->command({"REPLICAOF", feeder.host, port})));
  return {};
}

Status ScratchServer::wait_until_at(Offset offset, Duration timeout) {
  const MonoTime deadline = clock_.mono_now() + timeout;
  while (true) {
    Result<Info> info = client_->info("replication");
    if (!info) {
      // While it loads the base it may not answer in time: only its death ends the wait.
      if (process_->wait(Duration::zero())) return died(info.error());
      ignore_result(connect());
      if (clock_.mono_now() > deadline) return died(info.error());
      continue;
    }
    const Offset at = info->offset().value_or(Offset{});
    const bool following = info->is_replica() && info->link_up();
    if (following && at == offset) return {};
    if (following && at > offset)
      return Error(ErrorKind::kDataLoss,
                   fmt::format("the scratch server is at offset {}, past {}", at.value, offset.value));
    if (clock_.mono_now() > deadline)
      return Error(ErrorKind::kDeadlineExceeded, fmt::format("the scratch server has not reached offset {} in time; "
                                                             "it is at {}",
                                                             offset.value, at.value));
    clock_.sleep_for(kPoll);
  }
}

Status ScratchServer::check_no_replication_errors() {
  ASSIGN_OR_RETURN(const Info info, explained(client_->info()));
  const std::int64_t errors = info.number("unexpected_error_replies").value_or(0);
  if (errors == 0) return {};
  std::string what =
      fmt::format("{} commands of the stream answered with an error that they did not give on the source", errors);
  const auto first = first_replication_error(files_.read_all(directory_ + "/log", 16 * kMiB).value_or(""));
  if (first) what += "; the first: " + *first;
  const bool unknown = first && first->starts_with("unknown ");
  return Error(unknown ? ErrorKind::kFailedPrecondition : ErrorKind::kDataLoss,
               fmt::format("{} (the scratch server is {})", what, info.product()),
               "give a redis-server of the source's kind and version with --redis-server");
}

Result<std::string> ScratchServer::digest() {
  ASSIGN_OR_RETURN(Reply reply, explained(client_->command({"DEBUG", "DIGEST"}, std::chrono::hours(1))));
  return std::move(reply.text);
}

Result<std::vector<Keyspace>> ScratchServer::keyspaces() {
  ASSIGN_OR_RETURN(const Info info, explained(client_->info("keyspace")));
  return info.keyspaces();
}

Result<std::string> ScratchServer::save_rdb(Duration timeout) {
  RETURN_IF_ERROR(explained(client_->command({"SAVE"}, timeout)));
  return directory_ + "/dump.rdb";
}

Result<std::string> ScratchServer::digest_after_reload(Duration timeout) {
  RETURN_IF_ERROR(explained(client_->command({"DEBUG", "RELOAD", "NOSAVE"}, timeout)));
  return digest();
}

void ScratchServer::stop() {
  client_.reset();
  process_.reset();
  if (!directory_.empty()) ignore_result(remove_tree(files_, std::exchange(directory_, {})));
}

}  // namespace anclora::redis

// A throw-away redis-server of ours: it follows a Feeder to a known offset, and then is saved, digested or looked at.
// For bases made without the source, for verification, and for whatever needs the state at another moment than now.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/socket.h"
#include "base/subprocess.h"
#include "redis/client/client.h"
#include "redis/offset.h"
#include "redis/rdb/rdb_versions.h"

namespace anclora::redis {

struct ScratchServerOptions {
  std::string program = "redis-server";  // a path, or looked up in PATH
  // The least version that will do: an RDB loads into its own version or a later one. Nothing: any from 6.2 on.
  std::optional<Version> at_least;
  // The RDB that it has to load: versions of Redis and Valkey cannot be compared with each other.
  std::optional<RdbMagic> loads;
  // A server that has to load what this one saves.
  std::optional<Product> saves_for;
  std::uint64_t databases = 16;
  std::vector<std::string> modules;  // paths of module files to load
  // A private directory is made in it and removed at the end: logs, and what save_rdb() writes unless told otherwise.
  std::string work_directory = "/tmp";
  std::uint64_t memory_needed_bytes = 0;  // refused unless as much is available
  Duration start_timeout = std::chrono::seconds(30);
};

// One thread at a time, except pid(). It listens on a Unix socket in its private directory alone, asks for a random
// password, never writes its data of its own accord, and is killed when this is destroyed or our process dies.
class ScratchServer {
 public:
  // kNotFound: no such program; kFailedPrecondition: too old or of the wrong kind, or its modules do not load (with its
  // own words);
  // kResourceExhausted: not enough free memory; kDeadlineExceeded.
  static Result<std::unique_ptr<ScratchServer>> start(const ScratchServerOptions& options, FileSystem& files,
                                                      Dialer& dialer, Clock& clock, Random& random);
  ~ScratchServer();

  // What `program --version` says; kNotFound when there is no such program.
  static Result<Version> program_version(const std::string& program, const std::string& work_directory,
                                         FileSystem& files, Random& random);

  const Version& version() const { return version_; }
  pid_t pid() const { return process_->pid(); }
  const std::string& directory() const { return directory_; }
  RedisUrl url() const;
  // A connection to look around with; broken by stop().
  Client& client() { return *client_; }

  // REPLICAOF `feeder`, with the password that it asks for.
  Status follow(const Endpoint& feeder, const Secret& password);
  // Until its offset is exactly `offset` while still following. kDataLoss when it went past it; kUnavailable, with the
  // end of its log, when it died.
  Status wait_until_at(Offset offset, Duration timeout);
  // No error when it has executed everything it was sent without one. Else kFailedPrecondition when it does not know
  // the first command that failed, kDataLoss otherwise.
  Status check_no_replication_errors();
  // DEBUG DIGEST: 40 hexadecimal digits over all keys and values.
  Result<std::string> digest();
  // Keys and expiring keys of each database that has any.
  Result<std::vector<Keyspace>> keyspaces();
  // Saves what it holds now as an uncompressed RDB with a checksum; the path in its directory. It stays there until the
  // server goes or the next call. kResourceExhausted when the disk cannot take it.
  Result<std::string> save_rdb(Duration timeout = std::chrono::hours(2));
  // Drops all data, reads its own last save_rdb() back, and answers the digest of that.
  Result<std::string> digest_after_reload(Duration timeout = std::chrono::hours(2));
  // The last lines of its log, for messages.
  std::string log_end() const;
  // Ends it and removes its directory; also done on destruction.
  void stop();

 private:
  ScratchServer(const ScratchServerOptions& options, FileSystem& files, Dialer& dialer, Clock& clock);
  Status launch(Random& random);
  Status write_config();
  Status connect();
  Status check_product() const;
  Error died(const Error& error) const;
  // `result`, or what the log says when the server is gone.
  template <class T>
  Result<T> explained(Result<T> result) const;

  ScratchServerOptions options_;
  FileSystem& files_;
  Dialer& dialer_;
  Clock& clock_;
  Version version_;
  std::string directory_;
  Secret password_;
  std::unique_ptr<Subprocess> process_;
  std::unique_ptr<Client> client_;
};

}  // namespace anclora::redis

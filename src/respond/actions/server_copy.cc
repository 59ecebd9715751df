#include "respond/actions/server_copy.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/write_file.h"
#include "redis/replication/replication_link.h"
#include "respond/actions/redis_server.h"

namespace anclora::respond {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(20);

// Writes the base; ends the link when it has all of it.
class BaseFile final : public redis::ReplicaSink {
 public:
  explicit BaseFile(WritableFile& file) : file_(file) {}

  Status on_base_started(const redis::FullResyncStarted& started) override {
    copy_.offset = started.offset.value;
    return {};
  }
  Status on_base_bytes(ByteView bytes) override {
    copy_.bytes += bytes.size();
    return file_.append(bytes);
  }
  Status on_base_complete() override {
    whole_ = true;
    return Error(ErrorKind::kCancelled, "it is whole");
  }
  Status on_continue(const redis::ContinueAccepted&) override {
    return Error(ErrorKind::kInternal, "the server continued a stream that was not asked for");
  }
  Status on_stream_bytes(ByteView, redis::Offset) override { return {}; }

  bool whole() const { return whole_; }
  const ServerCopy& copy() const { return copy_; }

 private:
  WritableFile& file_;
  ServerCopy copy_;
  bool whole_ = false;
};

// A server that makes us wait is not read from: somebody else must end the link.
class Impatience {
 public:
  Impatience(redis::ReplicationLink& link, StepContext& context, MonoTime until)
      : thread_([&link, &context, until](const std::stop_token& over) {
          while (!over.stop_requested() && !context.cancelled() && context.clock().mono_now() < until)
            context.clock().sleep_for(kLook);
          if (!over.stop_requested()) link.stop();
        }) {}

 private:
  std::jthread thread_;
};

Result<redis::FollowerOptions> follower_of(StepContext& context, Dialer& dialer, const redis::RedisUrl& url,
                                           const ServerCopyLimits& limits) {
  ASSIGN_OR_RETURN(const auto client, connect_to(context, dialer, url));
  ASSIGN_OR_RETURN(const redis::Info info, client->info());
  redis::FollowerOptions options;
  options.user = url.user;
  options.password = url.password;
  options.announced_version = info.announced_version();
  options.base_only = true;
  options.base_limit_bytes = limits.bytes;
  return options;
}

Result<ServerCopy> receive(StepContext& context, Dialer& dialer, const redis::RedisUrl& url, WritableFile& file,
                           const ServerCopyLimits& limits) {
  ASSIGN_OR_RETURN(redis::FollowerOptions follower, follower_of(context, dialer, url, limits));
  const Duration left = limits.until - context.clock().mono_now();
  if (left <= Duration::zero()) return Error(ErrorKind::kDeadlineExceeded, "no time is left for it");
  ASSIGN_OR_RETURN(auto connection, dialer.dial(url.endpoint, url.tls_or_null(), left));
  redis::ReplicationLink link(std::move(connection), std::move(follower), context.clock());
  BaseFile base(file);
  {
    const Impatience impatience(link, context, limits.until);
    RETURN_IF_ERROR(link.run(base));
  }
  if (base.whole()) return base.copy();
  if (context.cancelled()) return Error(ErrorKind::kCancelled, "given up on the way");
  return Error(ErrorKind::kDeadlineExceeded, fmt::format("{} bytes had come when the time was over", base.copy().bytes),
               "give the step more time: rdb_within, timeout");
}

}  // namespace

Result<ServerCopy> copy_server(StepContext& context, FileSystem& files, Dialer& dialer, const redis::RedisUrl& url,
                               const std::string& path, const ServerCopyLimits& limits) {
  if (const auto there = files.stat(path)) return ServerCopy{there->size_bytes, 0};
  const std::string part = path + ".part";  // also of an attempt that was killed on the way
  if (files.stat(part).has_value()) RETURN_IF_ERROR(files.remove(part));
  ASSIGN_OR_RETURN(auto file, files.create(part));
  auto copy = receive(context, dialer, url, *file, limits);
  Status written = copy ? file->sync() : Status(copy.error());
  const Status closed = file->close();
  if (written) written = closed;
  if (written) written = files.rename(part, path);
  if (written) written = files.sync_directory(parent_folder(path));
  if (written) return copy;
  ignore_result(files.remove(part));  // what is left of it is removed by the next attempt
  return written.error();
}

}  // namespace anclora::respond

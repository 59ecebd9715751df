#include "storage/testing/s3_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

#include "base/file_system.h"
#include "storage/store/s3_client.h"
#include "storage/testing/source_tree.h"

namespace anclora::storage {
namespace {

constexpr Duration kStartTimeout = std::chrono::seconds(300);

}  // namespace

Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    if (at == variables.end()) return std::nullopt;
    return at->second;
  };
}

S3Server::S3Server() {
  process_ = std::make_unique<PipedProcess>(
      std::vector<std::string>{"bash", source_path("tests/s3/rgw.sh"), "run", directory_ / "rgw"});
  const auto line = process_->read_line(kStartTimeout);
  if (!line || !line->starts_with("ready ")) {
    throw std::runtime_error(
        "the S3 test server did not start (see the lines above; it needs Debian's radosgw, ceph-mon, "
        "ceph-osd, ceph-common and curl)");
  }
  endpoint_ = "http://127.0.0.1:" + line->substr(6);
}

S3Server& S3Server::shared() {
  static S3Server server;
  return server;
}

void S3Server::command(const std::string& word) {
  process_->write_line(word);
  const auto answer = process_->read_line(kStartTimeout);
  if (!answer || *answer != "ok") throw std::runtime_error("the S3 test server failed to " + word);
}

std::map<std::string, std::string> S3Server::variables() const {
  return {{"AWS_ENDPOINT_URL", endpoint_},
          {"AWS_ACCESS_KEY_ID", access_key()},
          {"AWS_SECRET_ACCESS_KEY", secret_key()},
          {"AWS_REGION", "us-east-1"}};
}

Environment S3Server::environment() const { return environment_of(variables()); }

std::string S3Server::make_bucket() {
  S3Options options;
  options.bucket = fmt::format("test-{}-{}", ::getpid(), ++buckets_);
  options.endpoint = endpoint_;
  options.path_style = true;
  auto credentials = std::make_unique<AwsCredentialsProvider>(environment(), posix_file_system(), system_clock());
  auto client = S3Client::open(options, std::move(credentials), system_clock());
  if (!client.has_value()) throw std::runtime_error(client.error().to_string());
  const auto answer = (*client)->send({.method = "PUT", .key = ""});
  if (!answer.has_value()) throw std::runtime_error(answer.error().to_string());
  if (answer->status != 200) throw std::runtime_error("cannot create a bucket: " + answer->body);
  return options.bucket;
}

}  // namespace anclora::storage

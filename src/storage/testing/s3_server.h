// A real S3 server on loopback for tests: Ceph's RADOS Gateway, started by tests/s3/rgw.sh in about two seconds.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/testing/temporary_directory.h"
#include "storage/store/aws_credentials.h"
#include "storage/testing/piped_process.h"

namespace anclora::storage {

// One thread, but for the strings. Throws std::runtime_error, saying what to install, when it cannot start: a test
// without its server fails, it is never skipped. The data are gone with it.
class S3Server {
 public:
  S3Server();
  // One for the whole test program, started at first use. Take a bucket of your own; do not kill or pause it.
  static S3Server& shared();

  const std::string& endpoint() const { return endpoint_; }  // "http://127.0.0.1:PORT"
  std::string access_key() const { return "anclora-test-key"; }
  std::string secret_key() const { return "anclora-test-secret"; }
  // A new empty bucket's name.
  std::string make_bucket();
  // "s3://BUCKET/repo", in a new bucket.
  std::string make_repository_url() { return "s3://" + make_bucket() + "/repo"; }
  // AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION: for a child process, or as an Environment
  // that knows nothing else.
  std::map<std::string, std::string> variables() const;
  Environment environment() const;

  void kill_gateway() { command("kill"); }    // SIGKILL; what was acknowledged stays
  void start_gateway() { command("start"); }  // on the same port
  void pause_gateway() { command("pause"); }  // SIGSTOP: requests hang
  void resume_gateway() { command("resume"); }

 private:
  void command(const std::string& word);

  TemporaryDirectory directory_;
  std::unique_ptr<PipedProcess> process_;
  std::string endpoint_;
  int buckets_ = 0;
};

// An Environment of exactly these variables.
Environment environment_of(std::map<std::string, std::string> variables);

}  // namespace anclora::storage

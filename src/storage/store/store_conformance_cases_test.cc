#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "base/testing/temporary_directory.h"
#include "storage/store/faulty_store.h"
#include "storage/store/folder_store.h"
#include "storage/store/memory_store.h"
#include "storage/store/retry_store.h"
#include "storage/store/s3_store.h"
#include "storage/store/store_conformance.h"
#include "storage/store/store_url.h"
#include "storage/testing/s3_server.h"

namespace anclora::storage {
namespace {

// A second client of a store that one process holds.
class Forwarding final : public Store {
 public:
  explicit Forwarding(Store& inner) : inner_(inner) {}
  Result<Bytes> get(std::string_view name, std::uint64_t limit) override { return inner_.get(name, limit); }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override {
    return inner_.get_range(name, offset, size);
  }
  Result<ObjectInfo> head(std::string_view name) override { return inner_.head(name); }
  Result<Listing> list(std::string_view prefix, bool delimited) override { return inner_.list(prefix, delimited); }
  Result<WallTime> now() override { return inner_.now(); }
  std::string describe() const override { return inner_.describe(); }
  Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) override {
    return inner_.put_if_absent(name, body);
  }
  Status remove(std::string_view name) override { return inner_.remove(name); }

 private:
  Store& inner_;
};

class MemorySubject final : public ConformanceSubject {
 public:
  Store& store() override { return store_; }
  std::unique_ptr<Store> another_client() override { return std::make_unique<Forwarding>(store_); }

 private:
  MemoryStore store_{system_clock()};
};

class FolderSubject final : public ConformanceSubject {
 public:
  Store& store() override { return store_; }
  std::unique_ptr<Store> another_client() override {
    return std::make_unique<FolderStore>(posix_file_system(), system_random(), directory_ / "repo");
  }

 private:
  TemporaryDirectory directory_;
  FolderStore store_{posix_file_system(), system_random(), directory_ / "repo"};
};

class MemoryFolderSubject final : public ConformanceSubject {
 public:
  Store& store() override { return store_; }
  std::unique_ptr<Store> another_client() override {
    return std::make_unique<FolderStore>(files_, system_random(), "/srv/repo");
  }

 private:
  MemoryFileSystem files_{system_clock()};
  FolderStore store_{files_, system_random(), "/srv/repo"};
};

class S3Subject : public ConformanceSubject {
 public:
  explicit S3Subject(std::string bucket = S3Server::shared().make_bucket(), bool path_style = true)
      : bucket_(std::move(bucket)), path_style_(path_style), store_(open()) {}
  Store& store() override { return *store_; }
  std::unique_ptr<Store> another_client() override { return open(); }

 private:
  std::unique_ptr<Store> open() {
    S3Options options;
    options.bucket = bucket_;
    options.prefix = "some/prefix";
    options.path_style = path_style_;
    options.endpoint = S3Server::shared().endpoint();
    if (!path_style_) options.endpoint.replace(7, 9, "s3.localhost");  // 127.0.0.1
    auto credentials =
        std::make_unique<AwsCredentialsProvider>(S3Server::shared().environment(), posix_file_system(), system_clock());
    return S3Store::open(options, std::move(credentials), system_clock()).value();
  }

  std::string bucket_;
  bool path_style_;
  std::unique_ptr<Store> store_;
};

class VirtualHostS3Subject final : public S3Subject {
 public:
  VirtualHostS3Subject() : S3Subject(S3Server::shared().make_bucket(), false) {}
};

// As users get it: by URL, with retry.
class S3UrlSubject final : public ConformanceSubject {
 public:
  Store& store() override { return *store_; }
  std::unique_ptr<Store> another_client() override { return open(); }

 private:
  std::unique_ptr<Store> open() {
    const StoreContext context{
        posix_file_system(), system_clock(), system_random(), S3Server::shared().environment(), {}, {}};
    return open_store(url_, context).value();
  }
  std::string url_ = S3Server::shared().make_repository_url();
  std::unique_ptr<Store> store_ = open();
};

// Every fourth request fails, every second of them after it was done, and the retry wrapper must hide all of it.
class RetriedFaultySubject final : public ConformanceSubject {
 public:
  RetriedFaultySubject() { faulty_.decide(every_fourth); }
  Store& store() override { return store_; }
  std::unique_ptr<Store> another_client() override {
    return std::make_unique<RetryStore>(faulty_, clock_, system_random(), RetryOptions{});
  }

 private:
  static std::optional<StoreFault> every_fourth(const StoreRequest& request) {
    const bool is_read = request.operation != StoreOperation::kPut;
    if (request.number % 8 == 3) return StoreFault{.kind = StoreFault::Kind::kErrorBefore};
    // A put's lost reply makes the retry answer kExists, as it must: only reads stay unchanged by it.
    if (request.number % 8 == 7 && is_read) return StoreFault{.kind = StoreFault::Kind::kErrorAfter};
    return std::nullopt;
  }

  ManualClock clock_;
  FolderSubject folder_;
  FaultyStore faulty_{folder_.store(), clock_};
  RetryStore store_{faulty_, clock_, system_random(), RetryOptions{}};
};

template <class Subject>
ConformanceCase a_case(std::string name) {
  return {std::move(name), [] { return std::make_unique<Subject>(); }};
}

}  // namespace

std::vector<ConformanceCase> conformance_cases() {
  return {a_case<MemorySubject>("Memory"),
          a_case<FolderSubject>("Folder"),
          a_case<MemoryFolderSubject>("FolderInMemory"),
          a_case<RetriedFaultySubject>("RetriedFaultyFolder"),
          a_case<S3Subject>("S3"),
          a_case<VirtualHostS3Subject>("S3ByVirtualHost"),
          a_case<S3UrlSubject>("S3ByUrl")};
}

}  // namespace anclora::storage

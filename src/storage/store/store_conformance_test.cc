// What every store must do alike. A store is added in store_conformance_cases_test.cc.
#include "storage/store/store_conformance.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>

namespace anclora::storage {
namespace {

class StoreConformance : public ::testing::TestWithParam<ConformanceCase> {
 protected:
  void SetUp() override { subject_ = GetParam().make(); }
  Store& store() { return subject_->store(); }
  void put(std::string_view name, ByteView bytes) {
    const auto outcome = store().put_if_absent(name, bytes);
    ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
    ASSERT_EQ(*outcome, PutOutcome::kCreated) << name;
  }
  static std::vector<std::string> names(const Listing& listing) {
    std::vector<std::string> out;
    for (const auto& object : listing.objects) out.push_back(object.name);
    return out;
  }
  std::unique_ptr<ConformanceSubject> subject_;
};

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? ErrorKind::kInternal : result.error().kind();
}

using Names = std::vector<std::string>;

TEST_P(StoreConformance, AnObjectPutIsReadBack) {
  put("sources/default/1/log/0000000001", "hello");
  const auto bytes = store().get("sources/default/1/log/0000000001");
  ASSERT_TRUE(bytes.has_value()) << bytes.error().to_string();
  EXPECT_EQ(*bytes, "hello");
  EXPECT_FALSE(store().describe().empty());
}

TEST_P(StoreConformance, ASecondPutAnswersExistsAndChangesNothing) {
  put("config", "first");
  const auto second = store().put_if_absent("config", "second, longer");
  ASSERT_TRUE(second.has_value()) << second.error().to_string();
  EXPECT_EQ(*second, PutOutcome::kExists);
  EXPECT_EQ(store().get("config").value(), "first");
}

TEST_P(StoreConformance, AnotherClientSeesAndRespectsWhatWasPut) {
  put("a/b", "mine");
  const auto other = subject_->another_client();
  EXPECT_EQ(other->get("a/b").value(), "mine");
  EXPECT_EQ(other->put_if_absent("a/b", "theirs").value(), PutOutcome::kExists);
  EXPECT_EQ(other->put_if_absent("a/c", "theirs").value(), PutOutcome::kCreated);
  EXPECT_EQ(store().get("a/c").value(), "theirs");
}

TEST_P(StoreConformance, AnEmptyObjectIsAnObject) {
  put("empty", "");
  EXPECT_EQ(store().get("empty").value(), "");
  EXPECT_EQ(store().head("empty")->size_bytes, 0U);
  EXPECT_EQ(store().get_range("empty", 0, 0).value(), "");
  EXPECT_EQ(kind_of(store().get_range("empty", 0, 1)), ErrorKind::kDataLoss);
}

TEST_P(StoreConformance, AMissingObjectIsNotFoundByEveryRead) {
  put("a/there", "x");
  for (const std::string_view name : {"a/missing", "b/c/d", "missing", "a", "a/there/below"}) {
    EXPECT_EQ(kind_of(store().get(name)), ErrorKind::kNotFound) << name;
    EXPECT_EQ(kind_of(store().get_range(name, 0, 1)), ErrorKind::kNotFound) << name;
    EXPECT_EQ(kind_of(store().head(name)), ErrorKind::kNotFound) << name;
  }
}

TEST_P(StoreConformance, ARangeIsExactOrAnError) {
  put("r", "0123456789");
  EXPECT_EQ(store().get_range("r", 0, 10).value(), "0123456789");
  EXPECT_EQ(store().get_range("r", 3, 4).value(), "3456");
  EXPECT_EQ(store().get_range("r", 9, 1).value(), "9");
  EXPECT_EQ(kind_of(store().get_range("r", 8, 3)), ErrorKind::kDataLoss);
  EXPECT_EQ(kind_of(store().get_range("r", 10, 1)), ErrorKind::kDataLoss);
  EXPECT_EQ(kind_of(store().get_range("r", 1'000'000, 5)), ErrorKind::kDataLoss);
  EXPECT_EQ(kind_of(store().get_range("r", 0, std::uint64_t{1} << 62)), ErrorKind::kDataLoss);
  EXPECT_EQ(kind_of(store().get_range("r", ~std::uint64_t{0} - 1, 1)), ErrorKind::kDataLoss);
}

TEST_P(StoreConformance, AGetStopsAtItsLimit) {
  put("big", std::string(100'000, 'x'));
  EXPECT_EQ(kind_of(store().get("big", 99'999)), ErrorKind::kResourceExhausted);
  EXPECT_EQ(store().get("big", 100'000)->size(), 100'000U);
}

TEST_P(StoreConformance, HeadTellsSizeAndAModificationTimeByTheStoresClock) {
  const auto before = store().now();
  ASSERT_TRUE(before.has_value()) << before.error().to_string();
  put("a/b", "12345");
  const auto info = store().head("a/b");
  ASSERT_TRUE(info.has_value()) << info.error().to_string();
  EXPECT_EQ(info->name, "a/b");
  EXPECT_EQ(info->size_bytes, 5U);
  EXPECT_GE(info->modified, *before - std::chrono::seconds(1));
  EXPECT_LE(info->modified, *store().now() + std::chrono::seconds(1));
}

TEST_P(StoreConformance, NowIsCloseToThisMachinesClock) {
  const auto now = store().now();
  ASSERT_TRUE(now.has_value()) << now.error().to_string();
  EXPECT_LT(std::chrono::abs(*now - system_clock().wall_now()), subject_->clock_tolerance());
}

TEST_P(StoreConformance, ListFindsByStringPrefixSorted) {
  for (const std::string_view name : {"k/b", "k/a", "k/c/d", "kk", "l/a", "k.x"}) put(name, name);
  EXPECT_EQ(names(store().list("", false).value()), (Names{"k.x", "k/a", "k/b", "k/c/d", "kk", "l/a"}));
  EXPECT_EQ(names(store().list("k/", false).value()), (Names{"k/a", "k/b", "k/c/d"}));
  EXPECT_EQ(names(store().list("k", false).value()), (Names{"k.x", "k/a", "k/b", "k/c/d", "kk"}));
  EXPECT_EQ(names(store().list("k/c/d", false).value()), (Names{"k/c/d"}));
  EXPECT_TRUE(names(store().list("nothing/", false).value()).empty());
  EXPECT_EQ(store().list("k/", false)->objects.at(2).size_bytes, 5U);
}

TEST_P(StoreConformance, ADelimitedListRollsUpWhatIsBelowTheNextSlash) {
  for (const std::string_view name : {"s/one/1/log/1", "s/one/2/log/1", "s/two/1/log/1", "s/file", "s/one/1/log/2"}) {
    put(name, "x");
  }
  const auto top = store().list("", true).value();
  EXPECT_TRUE(top.objects.empty());
  EXPECT_EQ(top.prefixes, (Names{"s/"}));
  const auto sources = store().list("s/", true).value();
  EXPECT_EQ(names(sources), (Names{"s/file"}));
  EXPECT_EQ(sources.prefixes, (Names{"s/one/", "s/two/"}));
  EXPECT_EQ(store().list("s/o", true)->prefixes, (Names{"s/one/"}));
  EXPECT_EQ(store().list("s/one/", true)->prefixes, (Names{"s/one/1/", "s/one/2/"}));
  EXPECT_TRUE(sources.foreign.empty());
}

TEST_P(StoreConformance, AListingOfAnEmptyStoreIsEmpty) {
  const auto listing = store().list("", false);
  ASSERT_TRUE(listing.has_value()) << listing.error().to_string();
  EXPECT_TRUE(listing->objects.empty() && listing->prefixes.empty() && listing->foreign.empty());
}

TEST_P(StoreConformance, ARemovedObjectIsGoneAndItsNameFree) {
  put("d/x", "1");
  put("d/y", "2");
  ASSERT_TRUE(store().remove("d/x").has_value());
  EXPECT_EQ(kind_of(store().get("d/x")), ErrorKind::kNotFound);
  EXPECT_EQ(names(store().list("", false).value()), (Names{"d/y"}));
  EXPECT_TRUE(store().remove("d/x").has_value());
  EXPECT_TRUE(store().remove("never/there").has_value());
  ASSERT_TRUE(store().remove("d/y").has_value());
  EXPECT_TRUE(store().list("", true)->prefixes.empty());
  put("d/x", "again");
  EXPECT_EQ(store().get("d/x").value(), "again");
}

TEST_P(StoreConformance, OddButLegalNamesWork) {
  const std::string longest =
      std::string(128, 'a') + "/" + std::string(128, 'b') + "/" + std::string(128, 'c') + "/" + std::string(125, 'd');
  const Names odd = {"a+b=c.d_e-f", "...", ".hidden", "-dash/--", "=/+", "_", "A/a", "a/A", "p", "0", longest};
  for (const auto& name : odd) put(name, name);
  for (const auto& name : odd) {
    EXPECT_EQ(store().get(name).value(), name);
    EXPECT_EQ(store().head(name)->size_bytes, name.size());
    EXPECT_EQ(names(store().list(name, false).value()).front(), name);
  }
  EXPECT_EQ(store().list("", false)->objects.size(), odd.size());
}

TEST_P(StoreConformance, IllegalNamesAreRefusedByEveryCall) {
  const Names illegal = {"",
                         "/",
                         "a/",
                         "/a",
                         "a//b",
                         ".",
                         "..",
                         "../x",
                         "a/../b",
                         "a b",
                         "a\nb",
                         "a\\b",
                         "~tmp",
                         "a?b",
                         "ä",
                         "a%2fb",
                         "a*",
                         std::string(129, 'x'),
                         std::string("a\0b", 3),
                         std::string(513, 'x')};
  for (const auto& name : illegal) {
    EXPECT_EQ(kind_of(store().put_if_absent(name, "x")), ErrorKind::kInvalidArgument) << name;
    EXPECT_EQ(kind_of(store().get(name)), ErrorKind::kInvalidArgument) << name;
    EXPECT_EQ(kind_of(store().get_range(name, 0, 1)), ErrorKind::kInvalidArgument) << name;
    EXPECT_EQ(kind_of(store().head(name)), ErrorKind::kInvalidArgument) << name;
    EXPECT_EQ(kind_of(store().remove(name)), ErrorKind::kInvalidArgument) << name;
  }
  EXPECT_EQ(kind_of(store().list("a//", false)), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(store().list("../", false)), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(store().list("a?", false)), ErrorKind::kInvalidArgument);
}

TEST_P(StoreConformance, OfManyRacingWritersExactlyOneCreatesAndItsBytesStand) {
  constexpr int kWriters = 20;
  constexpr int kRounds = 25;
  std::vector<std::unique_ptr<Store>> clients;
  for (int i = 0; i < kWriters; ++i) clients.push_back(subject_->another_client());
  std::vector<std::atomic<int>> winners(kRounds);
  std::vector<std::atomic<int>> winner_of(kRounds);
  std::atomic<int> failures{0};
  std::barrier start(kWriters);
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (int round = 0; round < kRounds; ++round) {
        start.arrive_and_wait();
        const auto outcome = clients[static_cast<std::size_t>(writer)]->put_if_absent(fmt::format("race/{}", round),
                                                                                      fmt::format("writer {}", writer));
        if (!outcome.has_value()) {
          ++failures;
        } else if (*outcome == PutOutcome::kCreated) {
          ++winners[static_cast<std::size_t>(round)];
          winner_of[static_cast<std::size_t>(round)] = writer;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(failures, 0);
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_EQ(winners[static_cast<std::size_t>(round)], 1) << round;
    EXPECT_EQ(store().get(fmt::format("race/{}", round)).value(),
              fmt::format("writer {}", winner_of[static_cast<std::size_t>(round)].load()));
  }
}

TEST_P(StoreConformance, MoreThanAThousandObjectsAreListedToTheEnd) {
  constexpr std::size_t kObjects = 1'050;
  std::atomic<std::size_t> next{0};
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (std::size_t at = next++; at < kObjects; at = next++) {
          const auto outcome = store().put_if_absent(fmt::format("many/{:05}/x", at), "x");
          if (!outcome.has_value() || *outcome != PutOutcome::kCreated) ++failures;
        }
      });
    }
  }
  ASSERT_EQ(failures, 0);
  const auto flat = store().list("many/", false);
  ASSERT_TRUE(flat.has_value()) << flat.error().to_string();
  ASSERT_EQ(flat->objects.size(), kObjects);
  EXPECT_EQ(flat->objects.front().name, "many/00000/x");
  EXPECT_EQ(flat->objects.back().name, "many/01049/x");
  const auto delimited = store().list("many/", true);
  ASSERT_TRUE(delimited.has_value()) << delimited.error().to_string();
  EXPECT_EQ(delimited->prefixes.size(), kObjects);
  EXPECT_TRUE(delimited->objects.empty());
}

TEST_P(StoreConformance, A64MebibyteObjectComesBackWhole) {
  std::string big(64 * kMiB, '\0');
  std::uint64_t state = 88172645463325252ULL;
  for (char& c : big) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    c = static_cast<char>(state);
  }
  put("big/object", big);
  const auto back = store().get("big/object");
  ASSERT_TRUE(back.has_value()) << back.error().to_string();
  EXPECT_TRUE(*back == big);
  EXPECT_EQ(store().get_range("big/object", 64 * kMiB - 7, 7).value(), big.substr(64 * kMiB - 7));
  EXPECT_EQ(store().head("big/object")->size_bytes, 64 * kMiB);
}

std::string case_name(const ::testing::TestParamInfo<ConformanceCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Stores, StoreConformance, ::testing::ValuesIn(conformance_cases()), case_name);

}  // namespace
}  // namespace anclora::storage

// What sealing and opening job-shaped stream bytes costs on one core.
#include <benchmark/benchmark.h>

#include "storage/journal/frame_codec.h"
#include "storage/journal/stream_index_builder.h"

namespace anclora::storage {
namespace {

// The stream of a job queue: a hash a job with a JSON payload, and its moves between lists and sets.
Bytes job_stream(std::size_t size) {
  SeededRandom random(7);
  const auto bulk = [](std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
  };
  const auto command = [&bulk](const std::vector<std::string>& words) {
    std::string out = "*" + std::to_string(words.size()) + "\r\n";
    for (const auto& word : words) out += bulk(word);
    return out;
  };
  Bytes stream;
  for (std::uint64_t id = 1; stream.size() < size; ++id) {
    const std::string job = std::to_string(id);
    const std::string time = std::to_string(1767225600000 + id * 3);
    const std::string data = R"({"to":"+49)" + std::to_string(1000000000 + random.below(9000000000)) +
                             R"(","template":"order_shipped","locale":"de_DE","parameters":{"name":"Customer )" +
                             std::to_string(random.below(100000)) + R"(","order":")" + to_hex(random.bytes(16)) +
                             R"(","url":"https://shop.example/t/)" + to_hex(random.bytes(40)) + R"("},"priority":1})";
    stream += command({"MULTI"});
    stream += command({"HMSET", "bull:whatsapp:" + job, "name", "send", "data", data, "opts",
                       R"({"attempts":5,"backoff":{"type":"exponential","delay":1000},"removeOnComplete":1000})",
                       "timestamp", time, "delay", "0", "priority", "0"});
    stream += command({"LPUSH", "bull:whatsapp:wait", job});
    stream += command(
        {"XADD", "bull:whatsapp:events", "MAXLEN", "~", "10000", time + "-0", "event", "waiting", "jobId", job});
    stream += command({"EXEC"});
  }
  stream.resize(size);
  return stream;
}

const ObjectKey& key() {
  static const ObjectKey key{Secret(std::string(32, 'k')), Bytes(16, 'r')};
  return key;
}

void CompressCheckAndSeal(benchmark::State& state) {
  const Bytes plain = job_stream(8 * kMiB);
  FrameCompressor compressor(FrameTuning::kCommands);
  std::size_t sealed = 0;
  for (auto _ : state) {
    const auto frames = compressor.compress(plain);
    if (!frames.has_value()) return state.SkipWithError("compress");
    ObjectSealer sealer(key(), "sources/default/1/log/7", 0, system_random());
    sealed = sealer.header().size();
    for (std::size_t i = 0; i < frames->size(); ++i)
      sealed += sealer.seal((*frames)[i], i + 1 == frames->size()).size();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(plain.size()));
  state.counters["ratio"] = static_cast<double>(plain.size()) / static_cast<double>(sealed);
}
BENCHMARK(CompressCheckAndSeal)->Unit(benchmark::kMillisecond);

void Open(benchmark::State& state) {
  const Bytes plain = job_stream(8 * kMiB);
  const auto sealed = seal_object(key(), "sources/default/1/log/7", plain, system_random());
  if (!sealed.has_value()) return state.SkipWithError("seal");
  Bytes opened;
  for (auto _ : state) {
    ObjectOpener opener(key(), "sources/default/1/log/7", 0);
    opened.clear();
    if (!opener.feed(*sealed, opened).has_value() || !opener.finish().has_value()) return state.SkipWithError("open");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(plain.size()));
}
BENCHMARK(Open)->Unit(benchmark::kMillisecond);

void HashContent(benchmark::State& state) {
  const Bytes plain = job_stream(8 * kMiB);
  for (auto _ : state) benchmark::DoNotOptimize(hash256(plain));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(plain.size()));
}
BENCHMARK(HashContent)->Unit(benchmark::kMillisecond);

// A job's whole life, seven commands.
void IndexCommands(benchmark::State& state) {
  StreamIndexBuilder builder;
  WallTime now{Duration(1'767'225'600'000'000)};
  std::uint64_t id = 0;
  std::uint64_t at = 1;
  const auto feed = [&](std::string_view name, std::initializer_list<std::string_view> arguments) {
    builder.on_command({name, std::span(arguments.begin(), arguments.size()), arguments.size(), 0, redis::Offset{at},
                        redis::Offset{at + 99}, std::nullopt, now});
    at += 100;
  };
  for (auto _ : state) {
    const std::string job = std::to_string(++id);
    const std::string key = "bull:whatsapp:" + job;
    now += Duration(20);
    feed("MULTI", {});
    feed("HMSET", {key, "name", "send", "data", "x"});
    feed("LPUSH", {"bull:whatsapp:wait", job});
    feed("XADD", {"bull:whatsapp:events", "MAXLEN", "~", "10000"});
    feed("ZADD", {"bull:whatsapp:completed", "1", job});
    feed("DEL", {key});
    feed("EXEC", {});
    if (id % 100'000 == 0) benchmark::DoNotOptimize(builder.take());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 7);
}
BENCHMARK(IndexCommands);

}  // namespace
}  // namespace anclora::storage

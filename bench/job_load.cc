// A load generator for benchmarks: job-shaped HSETs (as a message queue's jobs are) into a Redis on loopback,
// pipelined, at full speed or at a steady rate. Prints one JSON line.
//   anclora_job_load --port P [--first N] [--count N] [--rate PER_SECOND] [--seconds S] [--pipeline N] [--value BYTES]
//                    [--seed N] [--plain-set]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "base/random.h"
#include "base/socket.h"

namespace {

using anclora::Bytes;

struct Options {
  std::uint16_t port = 6379;
  std::uint64_t first = 0;
  std::uint64_t count = 1'000'000;
  double rate = 0;  // commands a second; 0: as fast as it goes
  double seconds = 0;
  std::uint64_t pipeline = 256;
  std::uint64_t seed = 1;
  std::uint64_t value = 500;
  bool plain_set = false;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--plain-set") {
      options.plain_set = true;
      continue;
    }
    if (i + 1 >= argc) std::exit((std::fprintf(stderr, "job_load: %s needs a value\n", name.c_str()), 2));
    const char* value = argv[++i];
    if (name == "--port")
      options.port = static_cast<std::uint16_t>(std::atoi(value));
    else if (name == "--first")
      options.first = std::strtoull(value, nullptr, 10);
    else if (name == "--count")
      options.count = std::strtoull(value, nullptr, 10);
    else if (name == "--rate")
      options.rate = std::atof(value);
    else if (name == "--seconds")
      options.seconds = std::atof(value);
    else if (name == "--pipeline")
      options.pipeline = std::strtoull(value, nullptr, 10);
    else if (name == "--seed")
      options.seed = std::strtoull(value, nullptr, 10);
    else if (name == "--value")
      options.value = std::strtoull(value, nullptr, 10);
    else
      std::exit((std::fprintf(stderr, "job_load: unknown option %s\n", name.c_str()), 2));
  }
  return options;
}

// Values as a queue of text messages has them: partly fixed words, partly numbers and identifiers that differ.
class JobWriter {
 public:
  explicit JobWriter(std::uint64_t seed) : random_(seed) {}

  void append_job(Bytes& out, std::uint64_t id) {
    char key[48], value[80];
    std::snprintf(key, sizeof key, "bull:messages:%llu", static_cast<unsigned long long>(id));
    out += "*20\r\n$4\r\nHSET\r\n";
    append_bulk(out, key);
    const auto number = [&](std::uint64_t bound) { return static_cast<unsigned long long>(random_.below(bound)); };
    std::snprintf(value, sizeof value, "34%09llu@s.whatsapp.net", number(1'000'000'000));
    append_field(out, "to", value);
    std::snprintf(value, sizeof value, "Hello %s, your order %llu leaves %s at %02llu:%02llu", kNames[number(8)],
                  number(1'000'000), kDays[number(7)], number(24), number(60));
    append_field(out, "text", value);
    std::snprintf(value, sizeof value, "%08llx-%04llx-4%03llx-a%03llx-%012llx", number(1ULL << 32), number(1 << 16),
                  number(1 << 12), number(1 << 12), number(1ULL << 48));
    append_field(out, "messageId", value);
    append_field(out, "opts", "{\"attempts\":5,\"backoff\":{\"type\":\"exponential\",\"delay\":2000}}");
    std::snprintf(value, sizeof value, "17672256%05llu", number(100'000));
    append_field(out, "timestamp", value);
    append_field(out, "name", "send-whatsapp-message");
    append_field(out, "instance", kInstances[number(4)]);
    std::snprintf(value, sizeof value, "{\"tenant\":\"t%03llu\",\"campaign\":\"c%05llu\",\"lang\":\"es\"}", number(500),
                  number(90'000));
    append_field(out, "meta", value);
    append_field(out, "progress", "0");
  }

  void append_set(Bytes& out, std::uint64_t id, std::uint64_t size) {
    char key[48];
    std::snprintf(key, sizeof key, "bull:messages:%llu", static_cast<unsigned long long>(id));
    text_.clear();
    while (text_.size() < size) {
      char piece[64];
      std::snprintf(piece, sizeof piece, "{\"to\":\"34%09llu\",\"name\":\"%s\",\"day\":\"%s\"},",
                    static_cast<unsigned long long>(random_.below(1'000'000'000)), kNames[random_.below(8)],
                    kDays[random_.below(7)]);
      text_ += piece;
    }
    text_.resize(size);
    out += "*3\r\n$3\r\nSET\r\n";
    append_bulk(out, key);
    append_bulk(out, text_);
  }

 private:
  static constexpr const char* kNames[] = {"Ana", "Luis", "Marta", "Jordi", "Carmen", "Pablo", "Elena", "Ivan"};
  static constexpr const char* kDays[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
  static constexpr const char* kInstances[] = {"anclora-main", "anclora-support", "anclora-sales", "anclora-alerts"};

  static void append_bulk(Bytes& out, std::string_view text) {
    char head[24];
    out.append(head, static_cast<std::size_t>(std::snprintf(head, sizeof head, "$%zu\r\n", text.size())));
    out.append(text);
    out.append("\r\n");
  }
  static void append_field(Bytes& out, std::string_view name, std::string_view value) {
    append_bulk(out, name);
    append_bulk(out, value);
  }

  anclora::SeededRandom random_;
  std::string text_;
};

std::uint64_t count_lines(const Bytes& bytes) {
  std::uint64_t lines = 0;
  for (const char c : bytes) lines += c == '\n';
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  auto connection = anclora::system_dialer().dial({"127.0.0.1", options.port}, nullptr, std::chrono::seconds(5));
  if (!connection) return std::fprintf(stderr, "job_load: %s\n", connection.error().to_string().c_str()), 1;
  JobWriter writer(options.seed);
  const auto started = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  const auto fail = [](const std::string& why) { return std::fprintf(stderr, "job_load: %s\n", why.c_str()), 1; };
  Bytes batch, replies;
  std::uint64_t sent = 0, answered = 0;
  const auto is_over = [&] { return sent >= options.count || (options.seconds > 0 && elapsed() >= options.seconds); };
  while (!is_over() || answered < sent) {
    std::uint64_t size = is_over() ? 0 : std::min(options.pipeline, options.count - sent);
    if (options.rate > 0 && size != 0) {
      const double due = std::max(0.0, options.rate * elapsed() - static_cast<double>(sent));
      size = std::min(size, static_cast<std::uint64_t>(due));
      if (size == 0 && answered == sent) {
        std::this_thread::sleep_for(std::chrono::microseconds(500));
        continue;
      }
    }
    // A batch is written while the server still works on the one before: it is never without work.
    if (size != 0 && sent - answered <= options.pipeline) {
      batch.clear();
      for (std::uint64_t id = options.first + sent; id < options.first + sent + size; ++id) {
        if (options.plain_set)
          writer.append_set(batch, id, options.value);
        else
          writer.append_job(batch, id);
      }
      if (auto written = (*connection)->write_all(batch, std::chrono::seconds(60)); !written)
        return fail(written.error().to_string());
      sent += size;
      continue;
    }
    replies.clear();
    auto read = (*connection)->read_some(replies, 1 << 16, std::chrono::seconds(60));
    if (!read || *read == 0) return fail("the server closed the connection");
    if (replies.find('-') != Bytes::npos) return fail(replies.substr(0, 200));
    answered += count_lines(replies);
  }
  const double seconds = elapsed();
  std::printf("{\"commands\": %llu, \"seconds\": %.4f, \"per_second\": %.0f}\n", static_cast<unsigned long long>(sent),
              seconds, static_cast<double>(sent) / seconds);
  return 0;
}

#include "redis/testing/random_commands.h"

#include <stdexcept>

namespace anclora::redis {
namespace {

using Words = std::vector<std::string>;

class Writer {
 public:
  Writer(Random& random, unsigned databases) : random_(random), databases_(databases) {}

  void write(std::size_t count, std::vector<Words>& out) {
    while (out.size() < count) {
      if (one_in(40)) {
        out.push_back({"SELECT", number(databases_)});
      } else if (one_in(60)) {
        out.push_back({"MULTI"});
        for (std::uint64_t i = random_.below(6); i > 0; --i) out.push_back(any());
        out.push_back({"EXEC"});
      } else {
        out.push_back(any());
      }
    }
  }

 private:
  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }
  std::string number(std::uint64_t bound) { return std::to_string(random_.below(bound)); }
  std::string key(const char* kind) { return std::string(kind) + ":" + number(one_in(3) ? 5 : 400); }
  std::string value() {
    const std::uint64_t size = one_in(50) ? random_.below(20'000) : random_.below(90);
    return one_in(4) ? number(1'000'000) : one_in(2) ? std::string(size, 'a') : random_.bytes(size);
  }

  Words any() {
    switch (random_.below(10)) {
      case 0:
      case 1:
        return a_string();
      case 2:
      case 3:
        return a_hash();
      case 4:
        return a_list();
      case 5:
        return a_set();
      case 6:
        return a_sorted_set();
      case 7:
        return a_stream();
      case 8:
        return a_script();
      default:
        return a_key();
    }
  }

  Words a_string() {
    switch (random_.below(8)) {
      case 0:
        return {"INCRBY", key("n"), number(100)};
      case 1:
        return {"APPEND", key("s"), value()};
      case 2:
        return {"SET", key("s"), value(), "EX", std::to_string(7200 + random_.below(100'000))};
      case 3:
        return {"SETRANGE", key("s"), number(200), value()};
      case 4:
        return {"INCRBYFLOAT", key("f"), "0." + number(1000)};
      case 5:
        return {"SETBIT", key("b"), number(5000), number(2)};
      case 6:
        return {"PFADD", key("pf"), value(), value()};
      default:
        return {"SET", key("s"), value()};
    }
  }
  Words a_hash() {
    switch (random_.below(4)) {
      case 0:
        return {"HINCRBY", key("h"), "n" + number(5), number(10)};
      case 1:
        return {"HDEL", key("h"), "f" + number(50)};
      default:
        return {"HSET", key("h"), "f" + number(50), value(), "f" + number(50), value()};
    }
  }
  Words a_list() {
    switch (random_.below(5)) {
      case 0:
        return {"LPUSH", key("l"), value(), value()};
      case 1:
        return {"RPOP", key("l")};
      case 2:
        return {"LMOVE", key("l"), key("l"), "LEFT", "RIGHT"};
      case 3:
        return {"LTRIM", key("l"), "0", number(30)};
      default:
        return {"RPUSH", key("l"), value()};
    }
  }
  Words a_set() {
    switch (random_.below(5)) {
      case 0:
        return {"SPOP", key("e")};
      case 1:
        return {"SUNIONSTORE", key("e"), key("e"), key("e")};
      case 2:
        return {"SADD", key("e"), number(1000), number(1000)};
      default:
        return {"SADD", key("e"), value()};
    }
  }
  Words a_sorted_set() {
    switch (random_.below(4)) {
      case 0:
        return {"ZPOPMIN", key("z")};
      case 1:
        return {"ZINCRBY", key("z"), "1." + number(100), number(100)};
      case 2:
        return {"GEOADD", key("g"), number(90), number(80), "m" + number(50)};
      default:
        return {"ZADD", key("z"), number(10'000), value()};
    }
  }
  Words a_stream() {
    switch (random_.below(6)) {
      case 0:
        return {"XGROUP", "CREATE", key("x"), "g" + number(3), "0", "MKSTREAM"};
      case 1:
        return {"XREADGROUP", "GROUP", "g" + number(3), "c" + number(3), "COUNT", "3", "STREAMS", key("x"), ">"};
      case 2:
        return {"XTRIM", key("x"), "MAXLEN", number(40)};
      default:
        return {"XADD", key("x"), "*", "f" + number(5), value()};
    }
  }
  Words a_script() {
    return {"EVAL",   "redis.call('set',KEYS[1],ARGV[1]) redis.call('hset',KEYS[2],'s',ARGV[1]) return 1",
            "2",      key("s"),
            key("h"), value()};
  }
  Words a_key() {
    static constexpr const char* kKinds[] = {"s", "h", "l", "e", "z", "x", "n"};
    const char* kind = kKinds[random_.below(std::size(kKinds))];
    switch (random_.below(7)) {
      case 0:
        return {"DEL", key(kind), key(kind)};
      case 1:
        return {"RENAME", key(kind), key(kind)};
      case 2:
        return {"EXPIRE", key(kind), std::to_string(7200 + random_.below(100'000))};
      case 3:
        return {"COPY", key(kind), key(kind), "REPLACE"};
      case 4:
        return {"MOVE", key(kind), number(databases_)};
      case 5:
        return {"UNLINK", key(kind)};
      default:
        return {"PERSIST", key(kind)};
    }
  }

  Random& random_;
  unsigned databases_;
};

}  // namespace

std::vector<std::vector<std::string>> random_commands(Random& random, std::size_t count, unsigned databases) {
  std::vector<Words> commands;
  Writer(random, databases).write(count, commands);
  return commands;
}

void run_random_commands(const RedisServer& server, Random& random, std::size_t count, unsigned databases) {
  const auto replies = server.client()->pipeline(random_commands(random, count, databases), std::chrono::seconds(60));
  if (!replies) throw std::runtime_error(replies.error().to_string());
}

}  // namespace anclora::redis

#include "protect/testing/random_workload.h"

#include <stdexcept>

namespace anclora::protect {
namespace {

constexpr const char* kTwoWrites =
    "redis.call('incr', KEYS[1]) redis.call('rpush', KEYS[2], ARGV[1]) return redis.call('spop', KEYS[3])";
constexpr const char* kLibrary =
    "#!lua name=mylib\nredis.register_function('put', function(keys, args) redis.call('set', keys[1], args[1]) return "
    "redis.call('hincrby', keys[2], 'n', 1) end)";

}  // namespace

std::string RandomWorkload::key(const char* type) { return std::string(type) + ":{" + number(4) + "}:" + number(12); }

std::string RandomWorkload::value() {
  switch (random_.below(5)) {
    case 0:
      return number(100000);
    case 1:
      return random_.bytes(1 + random_.below(80));  // any bytes, line ends and stars too
    case 2:
      return std::string(1 + random_.below(3000), static_cast<char>('a' + random_.below(26)));
    default:
      return "value-" + number(1000);
  }
}

RandomWorkload::Command RandomWorkload::next_collection() {
  switch (random_.below(16)) {
    case 0:
      return {"RPUSH", key("list"), value(), value()};
    case 1:
      return {"LPOP", key("list")};
    case 2:
      return {"LMOVE", key("list"), key("list"), "LEFT", "RIGHT"};
    case 3:
      return {"SADD", key("set"), value(), number(50), number(50)};
    case 4:
      return {"SPOP", key("set")};
    case 5:
      return {"SUNIONSTORE", key("set"), key("set"), key("set")};
    case 6:
      return {"ZADD", key("zset"), number(1000), value(), number(1000), number(40)};
    case 7:
      return {"ZPOPMIN", key("zset")};
    case 8:
      return {"ZUNIONSTORE", key("zset"), "2", key("zset"), key("zset")};
    case 9:
      return {"HSET", key("hash"), "f" + number(20), value(), "g" + number(90), value()};
    case 10:
      return {"HINCRBYFLOAT", key("hash"), "n", "1.5"};
    case 11:
      return {"HDEL", key("hash"), "f" + number(20)};
    case 12:
      return {"XADD", key("stream"), "MAXLEN", "~", "50", "*", "f", value()};
    case 13:
      return {"XGROUP", "CREATE", key("stream"), "g", "$", "MKSTREAM"};
    case 14:
      return {"XREADGROUP", "GROUP", "g", "c" + number(3), "COUNT", "2", "STREAMS", key("stream"), ">"};
    default:
      return {"XDEL", key("stream"), number(100) + "-0"};
  }
}

RandomWorkload::Command RandomWorkload::next_other() {
  switch (random_.below(22)) {
    case 0:
      return {"SET", key("string"), value(), "EX", std::to_string(5000 + random_.below(5000))};
    case 1:
      return {"INCR", key("counter")};
    case 2:
      return {"INCRBYFLOAT", key("counter"), "0.25"};
    case 3:
      return {"APPEND", key("string"), value()};
    case 4:
      return {"SETRANGE", key("string"), number(200), value()};
    case 5:
      return {"EXPIRE", key("hash"), std::to_string(6000 + random_.below(5000))};
    case 6:
      return {"PERSIST", key("string")};
    case 7:
      return {"DEL", key("list"), key("set")};
    case 8:
      return {"UNLINK", key("zset")};
    case 9:
      return {"RENAME", key("string"), key("string")};
    case 10:
      return {"COPY", key("hash"), key("hash"), "REPLACE"};
    case 11:
      return {"PFADD", key("hll"), value(), value()};
    case 12:
      return {"SETBIT", key("bits"), number(4000), "1"};
    case 13:
      return {"GEOADD", key("geo"), "13." + number(1000), "38." + number(1000), "m" + number(40)};
    case 14:
      return {"EVAL", kTwoWrites, "3", key("counter"), key("list"), key("set"), value()};
    case 15:
      return {"FCALL", "put", "2", key("string"), key("hash"), value()};
    case 16:
      return {"FUNCTION", "LOAD", "REPLACE", kLibrary};
    case 17:
      return {"SELECT", number(4)};
    case 18:
      return {"MOVE", key("string"), number(4)};
    case 19:
      return {"PUBLISH", random_.below(2) == 0 ? "__sentinel__:hello" : "news", value()};
    case 20:
      return random_.below(60) == 0 ? Command{"SWAPDB", "0", "1"} : Command{"GETDEL", key("string")};
    default:
      return random_.below(150) == 0 ? Command{"FLUSHDB"}
                                     : Command{"MSET", key("string"), value(), key("string"), value()};
  }
}

RandomWorkload::Command RandomWorkload::next() { return random_.below(2) == 0 ? next_collection() : next_other(); }

void RandomWorkload::run(redis::Client& client, int count) {
  std::vector<Command> commands;
  while (count > 0) {
    const bool transaction = random_.below(12) == 0;
    const std::uint64_t size = transaction ? 2 + random_.below(6) : 1;
    if (transaction) commands.push_back({"MULTI"});
    for (std::uint64_t i = 0; i < size; ++i) commands.push_back(next());
    if (transaction) commands.push_back({"EXEC"});
    count -= static_cast<int>(size);
  }
  const auto replies = client.pipeline(commands);
  if (!replies.has_value()) throw std::runtime_error(replies.error().to_string());
}

}  // namespace anclora::protect

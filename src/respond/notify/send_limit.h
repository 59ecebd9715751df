// The rate limit of what people are told: so many messages a line (a contact's channel) in a while, the same one once.
// It may be shared by all processes that name the same file, so that a run and `serve` together tell nobody more often
// than one of them may.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "respond/notify/message.h"

namespace anclora::respond {

struct SendLimitRules {
  std::uint32_t most_in_window = 10;
  Duration window = std::chrono::minutes(1);
  Duration same_within = std::chrono::minutes(1);
};

// A contact's id and the number of its channel.
using SendLine = std::pair<std::string, std::uint32_t>;

// Thread rule: any thread, any process. A file that cannot be locked, read or written holds nobody back: the limit is
// then this object's own.
class SendLimit {
 public:
  // `file`: empty for a limit of this object alone.
  SendLimit(FileSystem& files, Clock& clock, std::string file, SendLimitRules rules);

  struct Answer {
    bool admitted = true;
    std::string why = {};         // it is not
    std::uint32_t held_back = 0;  // messages before this one, which it has to speak of
  };
  // Counts the message when it is admitted. The first alert about something (its dedup_key) always is: what is known of
  // that line within the longer of the two times says which is the first.
  Answer admit(const SendLine& line, const Message& message);
  // What was not taken over does not count, and what was held back is still to be said.
  void give_back(const SendLine& line, const Message& message, std::uint32_t held_back);

 private:
  struct Sent {
    WallTime at;
    std::string key, about;  // hashes: of all that is said; of an alert's dedup_key
  };
  struct Line {
    std::vector<Sent> sent;
    std::uint32_t held_back = 0;
  };
  using Lines = std::map<SendLine, Line>;
  Answer judge(Line& line, const Message& message) const;
  void forget_old(Lines& lines) const;
  // Reads the file's lines, lets `change` work on them, and writes them back.
  template <class Change>
  void with_lines(const Change& change);
  static std::string encode(const Lines& lines);
  static Result<Lines> decode(ByteView text);

  FileSystem& files_;
  Clock& clock_;
  const std::string file_;
  const SendLimitRules rules_;
  std::mutex mutex_;
  Lines lines_;
};

}  // namespace anclora::respond

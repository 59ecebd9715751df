// Where the program prints to: standard output and standard error, which remember what could not be written.
#pragma once

#include <iosfwd>
#include <mutex>
#include <streambuf>
#include <string>

#include "base/result.h"

namespace anclora {

// Gives what a stream prints to a file descriptor, at each flush and when 64 KiB have come together. What cannot be
// written is dropped and remembered here, not in the stream, which would print nothing more: the line that comes after
// a disk was full for a moment is wanted. Any thread.
class OutputBuffer final : public std::streambuf {
 public:
  enum class When { kAtFlush, kAtOnce };

  // `fd` is borrowed, `name` stands in the error: "standard output".
  OutputBuffer(int fd, std::string name, When when);

  // Writes what waits; the first failure since the start, as os_error() says it.
  Status written();

 protected:
  int_type overflow(int_type byte) override;
  std::streamsize xsputn(const char* bytes, std::streamsize count) override;
  int sync() override;

 private:
  void append(const char* bytes, std::size_t count);
  void write_out();

  const int fd_;
  const std::string name_;
  const When when_;
  std::mutex mutex_;
  std::string waiting_;
  int failed_ = 0;  // errno of the first failure
};

// What was printed to `out` until now, given away: written() of its OutputBuffer; of any other stream, whether it is
// good.
Status printed(std::ostream& out);

// A standard descriptor that the caller closed would be given to the next file that is opened, and printing would go
// into it. This one fails instead: to be called before anything is opened.
void hold_standard_descriptors();

}  // namespace anclora

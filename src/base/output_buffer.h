// Where the program prints to: standard output and standard error, which remember what could not be written.
#pragma once

#include <iosfwd>
#include <mutex>
#include <streambuf>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anclora {

// Gives what a stream prints to a file descriptor, at each flush and when 64 KiB have come together. What cannot be
// written is dropped and remembered here, not in the stream, which would print nothing more: the line that comes after
// a disk was full for a moment is wanted. Text is made printable (printable.h): names, notes and keys come from
// elsewhere, and none may steer the terminal that it is printed to. Any thread.
class OutputBuffer final : public std::streambuf {
 public:
  enum class When { kAtFlush, kAtOnce };

  // `fd` is borrowed, `name` stands in the error: "standard output".
  OutputBuffer(int fd, std::string name, When when);

  // From here on bytes are written as they are: JSON.
  void print_exactly();
  // What is printed to a terminal next replaces its line: the one escape sequence that is ours.
  void erase_line();
  // Writes what waits; the first failure since the start, as os_error() says it.
  Status written();

 protected:
  int_type overflow(int_type byte) override;
  std::streamsize xsputn(const char* bytes, std::streamsize count) override;
  int sync() override;

 private:
  void append(const char* bytes, std::size_t count);
  void take(std::string_view text);
  void write_out();
  void flush();

  const int fd_;
  const std::string name_;
  const When when_;
  std::mutex mutex_;
  bool exact_ = false;
  std::string unfinished_;  // a character whose rest may still come
  std::string waiting_;
  int failed_ = 0;  // errno of the first failure
};

// out << erase_line: erase_line() of its OutputBuffer.
std::ostream& erase_line(std::ostream& out);
// What was printed to `out` until now, given away: written() of its OutputBuffer; of any other stream, whether it is
// good.
Status printed(std::ostream& out);

// A standard descriptor that the caller closed would be given to the next file that is opened, and printing would go
// into it. This one fails instead: to be called before anything is opened.
void hold_standard_descriptors();

}  // namespace anclora

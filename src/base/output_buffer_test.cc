#include "base/output_buffer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ostream>

#include "base/unique_fd.h"

namespace anclora {
namespace {

using When = OutputBuffer::When;

// Both ends of a pipe.
struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    from = UniqueFd(ends[0]);
    to = UniqueFd(ends[1]);
  }
  std::string read() {
    std::string text(std::size_t{1} << 20, '\0');
    const ssize_t count = ::read(from.get(), text.data(), text.size());
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }
  UniqueFd from, to;
};

TEST(OutputBuffer, WritesAtEachFlushAndKeepsTheOrder) {
  Pipe pipe;
  OutputBuffer buffer(pipe.to.get(), "output", When::kAtFlush);
  std::ostream out(&buffer);
  out << "one " << 2 << '!';
  EXPECT_EQ(pipe.read(), "");
  out << std::flush;
  EXPECT_EQ(pipe.read(), "one 2!");
  EXPECT_TRUE(printed(out));
}

TEST(OutputBuffer, WritesAtOnceWhereAPersonWaits) {
  Pipe pipe;
  OutputBuffer buffer(pipe.to.get(), "output", When::kAtOnce);
  std::ostream out(&buffer);
  out << "now";
  EXPECT_EQ(pipe.read(), "now");
}

TEST(OutputBuffer, HoldsNoMoreThanItsBound) {
  Pipe pipe;
  OutputBuffer buffer(pipe.to.get(), "output", When::kAtFlush);
  std::ostream out(&buffer);
  out << std::string(std::size_t{64} * 1024, 'x');
  EXPECT_EQ(pipe.read().size(), std::size_t{64} * 1024);
}

TEST(OutputBuffer, RemembersWhatCouldNotBeWrittenAndPrintsWhatComesAfter) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const UniqueFd moving(::dup(full.get()));
  Pipe pipe;
  OutputBuffer buffer(moving.get(), "standard output", When::kAtFlush);
  std::ostream out(&buffer);
  out << "lost" << std::flush;
  EXPECT_TRUE(out.good());  // else the next line would not even be tried
  ASSERT_EQ(::dup2(pipe.to.get(), moving.get()), moving.get());
  out << "there is room again" << std::flush;
  EXPECT_EQ(pipe.read(), "there is room again");
  const Status told = printed(out);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind(), ErrorKind::kResourceExhausted);
  EXPECT_EQ(told.error().message(), "standard output cannot be written: No space left on device");
}

TEST(OutputBuffer, PrintsNoControlBytesButItsOwnAndExactlyWhereThatIsWanted) {
  Pipe pipe;
  OutputBuffer buffer(pipe.to.get(), "output", When::kAtFlush);
  std::ostream out(&buffer);
  out << erase_line << "note \r\x1b[K" << std::flush;
  EXPECT_EQ(pipe.read(), "\r\x1b[Knote \\x0d\\x1b[K");
  buffer.print_exactly();
  out << "\x1b\xff" << std::flush;
  EXPECT_EQ(pipe.read(), "\x1b\xff");
}

TEST(OutputBuffer, PrintsACharacterThatComesInPieces) {
  Pipe pipe;
  OutputBuffer buffer(pipe.to.get(), "output", When::kAtOnce);
  std::ostream out(&buffer);
  out << '\xe6' << '\x9d' << '\xb1' << '\xe6';
  EXPECT_EQ(pipe.read(), "\xe6\x9d\xb1");
  out << std::flush;
  EXPECT_EQ(pipe.read(), "\\xe6");
}

TEST(OutputBuffer, SaysOfAnotherStreamWhetherItIsGood) {
  std::ostream nowhere(nullptr);
  EXPECT_FALSE(printed(nowhere));
}

}  // namespace
}  // namespace anclora

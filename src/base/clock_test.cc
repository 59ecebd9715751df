#include "base/clock.h"

#include <gtest/gtest.h>

namespace anclora {
namespace {

using namespace std::chrono_literals;

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock;
  const MonoTime mono = clock.mono_now();
  const WallTime wall = clock.wall_now();
  clock.sleep_for(5s);
  EXPECT_EQ(clock.mono_now() - mono, 5s);
  EXPECT_EQ(clock.wall_now() - wall, 5s);
  clock.step_wall(-1h);
  EXPECT_EQ(clock.mono_now() - mono, 5s);
  EXPECT_EQ(clock.wall_now() - wall, 5s - 1h);
}

TEST(SystemClock, AgreesWithTheMachine) {
  const auto before = std::chrono::system_clock::now();
  const WallTime now = system_clock().wall_now();
  EXPECT_GE(now + 1us, before);
  EXPECT_LE(now, std::chrono::system_clock::now());
}

TEST(Rfc3339, SurvivesARoundTrip) {
  for (const char* text : {"2026-11-24T12:34:56.789012Z", "1969-12-31T23:59:59.999999Z", "2024-02-29T00:00:00.000001Z"})
    EXPECT_EQ(format_rfc3339(parse_rfc3339(text).value()), text);
}

TEST(Rfc3339, AcceptsOffsetsAndFractions) {
  EXPECT_EQ(format_rfc3339(parse_rfc3339("2026-01-01T01:30:00+02:00").value()), "2025-12-31T23:30:00.000000Z");
  EXPECT_EQ(format_rfc3339(parse_rfc3339("2026-01-01T01:30:00.5-00:30").value()), "2026-01-01T02:00:00.500000Z");
  EXPECT_EQ(format_rfc3339(parse_rfc3339("2026-01-01T00:00:00.123456789Z").value()), "2026-01-01T00:00:00.123456Z");
}

TEST(Rfc3339, RefusesWhatIsNotATime) {
  for (const char* text : {"", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z",
                           "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+0200", "2026-1-01T00:00:00Z"})
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
}

TEST(ParseDuration, AddsItsParts) {
  EXPECT_EQ(parse_duration("5m").value(), 5min);
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("200ms").value(), 200ms);
  EXPECT_EQ(parse_duration("7d").value(), 7 * 24h);
}

TEST(ParseDuration, RefusesZeroUnitlessAndOverflowing) {
  for (const char* text :
       {"", "5", "0s", "-5m", "m", "5x", "1.5h", "99999999999999999999s", "9223372036854775807w", "5 m"})
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
}

TEST(FormatDuration, ChoosesAUnitForPeople) {
  EXPECT_EQ(format_duration(62min), "1h 02m");
  EXPECT_EQ(format_duration(4200ms), "4.2 s");
  EXPECT_EQ(format_duration(180ms), "180 ms");
  EXPECT_EQ(format_duration(125s), "2m 05s");
  EXPECT_EQ(format_duration(-180ms), "-180 ms");
}

TEST(ParseSize, KnowsBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size("1048576").value(), 1048576U);
  EXPECT_EQ(parse_size("64MiB").value(), 64U << 20);
  EXPECT_EQ(parse_size("10MB").value(), 10'000'000U);
  EXPECT_EQ(parse_size("4GiB").value(), std::uint64_t{4} << 30);
  for (const char* text : {"", "MiB", "1XB", "-1", "99999999999999999999", "9999999999GiB"})
    EXPECT_FALSE(parse_size(text).has_value()) << text;
}

TEST(FormatSize, RoundsToOneDecimal) {
  EXPECT_EQ(format_size(17), "17 B");
  EXPECT_EQ(format_size(531'838'566), "507.2 MiB");
  EXPECT_EQ(format_size(std::uint64_t{1} << 40), "1.0 TiB");
}

}  // namespace
}  // namespace anclora

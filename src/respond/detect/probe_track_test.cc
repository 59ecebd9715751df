#include "respond/detect/probe_track.h"

#include <gtest/gtest.h>

#include <string_view>

namespace anclora::respond {
namespace {

class Looks {
 public:
  Looks(std::uint32_t bad, std::uint32_t good) : track(bad, good) {}
  // 'u' up, 'd' down, '?' unknown; one a second.
  ProbeState see(std::string_view looks) {
    for (const char look : looks) {
      now += std::chrono::seconds(1);
      track.add({look == 'u'   ? ProbeState::kUp
                 : look == 'd' ? ProbeState::kDown
                               : ProbeState::kUnknown,
                 "",
                 {},
                 now,
                 {}});
    }
    return track.state();
  }
  WallTime now{std::chrono::seconds(1000)};
  ProbeTrack track;
};

TEST(ProbeTrack, NeedsSeveralBadLooksInARow) {
  Looks looks(3, 2);
  EXPECT_EQ(looks.see("uudd"), ProbeState::kUp);
  EXPECT_EQ(looks.see("udd"), ProbeState::kUp);
  EXPECT_EQ(looks.see("d"), ProbeState::kDown);
}

TEST(ProbeTrack, NeedsSeveralGoodLooksToComeBack) {
  Looks looks(2, 3);
  looks.see("uuudd");
  EXPECT_EQ(looks.see("uudu"), ProbeState::kDown);
  EXPECT_EQ(looks.see("uu"), ProbeState::kUp);
}

TEST(ProbeTrack, DatesAnOutageFromItsFirstBadLook) {
  Looks looks(3, 2);
  looks.see("uu");
  looks.see("d");
  const WallTime first = looks.now;
  looks.see("dd");
  ASSERT_TRUE(looks.track.down_since());
  EXPECT_EQ(*looks.track.down_since(), first);
  looks.see("ud");  // one good look within it does not make it younger
  EXPECT_EQ(*looks.track.down_since(), first);
}

TEST(ProbeTrack, NeverTakesUnknownForDown) {
  Looks looks(3, 2);
  looks.see("uu");
  EXPECT_EQ(looks.see("??????"), ProbeState::kUnknown);
  EXPECT_FALSE(looks.track.down_since());
}

TEST(ProbeTrack, CountsABadStreakOnAcrossUnknownLooks) {
  Looks looks(3, 2);
  EXPECT_EQ(looks.see("uud?d"), ProbeState::kUp);
  EXPECT_EQ(looks.see("?d"), ProbeState::kDown);
}

TEST(ProbeTrack, StaysDownWhileItIsUnknown) {
  Looks looks(2, 2);
  EXPECT_EQ(looks.see("dd????"), ProbeState::kDown);
}

TEST(ProbeTrack, IsUnknownBeforeEnoughLooks) {
  Looks looks(2, 2);
  EXPECT_EQ(looks.see("ud"), ProbeState::kUnknown);
}

}  // namespace
}  // namespace anclora::respond

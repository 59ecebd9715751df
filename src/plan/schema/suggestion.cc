#include "plan/schema/suggestion.h"

#include <algorithm>
#include <cstddef>

namespace anclora::plan {
namespace {

// Optimal string alignment distance; words longer than the limit are not compared.
constexpr std::size_t kMaxWord = 64;

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before = last;
    last = now;
  }
  return last[b.size()];
}

}  // namespace

std::string closest_word(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > kMaxWord) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kMaxWord) continue;
    std::size_t far = distance(word, candidate);
    // "restore" for "redis.restore", "conf" for "configuration".
    if (word.size() >= 3 && (candidate.ends_with(word) || candidate.starts_with(word)))
      far = std::min<std::size_t>(far, 2);
    if (far < best_distance && far < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = far;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates, std::size_t limit) {
  if (candidates.empty()) return "nothing of this kind is named in the plan";
  if (const std::string near = closest_word(word, candidates); !near.empty()) return "did you mean \"" + near + "\"?";
  std::string text = candidates.size() == 1 ? "there is only: " : "one of: ";
  for (std::size_t i = 0; i < candidates.size() && i < limit; ++i) text += (i == 0 ? "" : ", ") + candidates[i];
  if (candidates.size() > limit) text += ", ...";
  return text;
}

}  // namespace anclora::plan

// Whether this is a build under ThreadSanitizer, which runs five to twenty times slower: tests that count states of
// single-threaded code try fewer of them there, and tests that need a speed lower it. None is left out.
#pragma once

namespace anclora {

#ifdef __SANITIZE_THREAD__
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace anclora

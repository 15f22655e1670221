// Whether the program, and what it runs of ours, is built with a sanitizer.
#pragma once

namespace bops::harness {

/// The address and the thread sanitizer reserve terabytes of addresses (no `ulimit -v`), need
/// descriptors of their own, and make everything some ten times slower.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

}  // namespace bops::harness

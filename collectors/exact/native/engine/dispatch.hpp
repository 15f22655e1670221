/// What happens when guest code leaves the cache.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_DISPATCH_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_DISPATCH_HPP

#include "collectors/exact/native/engine/loader.hpp"

namespace bops::native {

/// Runs the guest from its first instruction. The engine's state is set up, nothing is translated.
[[noreturn]] void run_guest(const Start& start);

}  // namespace bops::native

#endif

/// Letting the guest go on without the engine, where it does what the engine cannot follow.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_DETACH_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_DETACH_HPP

#include "collectors/exact/native/engine/thread.hpp"

namespace bops::native {

/// Writes an UNCOUNTED record with the reason, gives the guest's signals back to the kernel, and
/// returns `pc`: to resume there is to run the guest's own code. From then on the other threads of
/// the process are let go, too, as soon as they come by.
Word detach(Area* area, Word pc, const char* reason);

[[nodiscard]] bool is_detached();

}  // namespace bops::native

#endif

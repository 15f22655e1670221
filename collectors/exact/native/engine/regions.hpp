/// Regions that the guest names (collectors/region): each context of a thread counts in an area of
/// its own, so that entering one costs what setting GS costs.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_REGIONS_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_REGIONS_HPP

#include "collectors/exact/native/engine/thread.hpp"

namespace bops::native {

/// Carries out an operation of region_protocol.h; afterwards GS may point to another area of the
/// thread, which has the guest's registers. Returns what the guest's RAX shall be.
std::int64_t region_call(Area* area, Word operation, Word pointer, Word amount);

/// The thread ends: its regions are closed.
void forget_regions(Thread* thread);

/// In the child of a fork, whose only area is `area`: what was open stays open, in contexts of the
/// child's own. Afterwards GS may point to another area.
void reopen_regions(Area* area);

}  // namespace bops::native

#endif

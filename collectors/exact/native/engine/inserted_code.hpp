/// Where a thread stands in terms of the guest, wherever in the cache it was interrupted.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_INSERTED_CODE_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_INSERTED_CODE_HPP

#include "collectors/exact/native/engine/code_cache.hpp"
#include "collectors/exact/native/engine/signal_frame.hpp"

namespace bops::native {

/// Between two instructions of the guest.
struct Position {
  Word pc;              ///< the guest's next instruction
  const Block* block;   ///< that was entered and not left; null: none was
  unsigned completed;   ///< of its instructions, in the current copy
  unsigned iterations;  ///< copies completed before
  bool counted;         ///< its counter has been reached
};

/// Brings `machine`, interrupted in the cache, to the next or the last guest instruction boundary:
/// carries out inserted code that has begun, or takes back what has no effect yet. Afterwards all
/// registers but RIP are the guest's. Needs no lock: what it looks at is never changed.
Position settle(const Area* area, MachineContext& machine);

/// Puts the counters right for a block that is left at `position`. Engine lock held.
void leave_block(Area* area, const Position& position);

/// A general register in encoding order.
Word& register_of(MachineContext& machine, unsigned number);

}  // namespace bops::native

#endif

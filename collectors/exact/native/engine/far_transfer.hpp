/// Transfers through a segment selector and 32-bit system calls: rare, and carried out by the
/// engine itself.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_FAR_TRANSFER_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_FAR_TRANSFER_HPP

#include "collectors/exact/native/engine/area.hpp"

namespace bops::native {

/// Carries out the far return, interrupt return, jump or call at `pc` on the guest's registers, and
/// says where it leads. False, with nothing changed, if it leaves 64-bit mode or would fault.
bool carry_out_far_transfer(Area* area, Word pc, Word& target);

/// Carries out `int 0x80`. False, with nothing changed, if the call would start, replace or move
/// something behind the engine's back.
bool carry_out_interrupt(Area* area);

}  // namespace bops::native

#endif

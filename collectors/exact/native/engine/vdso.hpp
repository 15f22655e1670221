/// The kernel's code in the process.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_VDSO_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_VDSO_HPP

#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

/// Moves the vdso, and its data pages with it, to where translated code reaches them, and adds it
/// to the memory map. Returns its new address; 0 if it cannot be moved: then the guest must do
/// without it.
Word move_vdso();

}  // namespace bops::native

#endif

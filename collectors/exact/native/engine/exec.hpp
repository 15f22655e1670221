/// Follows the guest through execve: the engine is executed in the new program's place.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_EXEC_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_EXEC_HPP

#include "collectors/exact/native/engine/engine.hpp"
#include "collectors/exact/native/engine/signal_frame.hpp"

namespace bops::native {

/// execve (59) or execveat (322). Returns only if it fails, with -errno. A program that cannot be
/// counted is executed natively, and an UNCOUNTED record tells it (cancelled if that fails). Called
/// with the engine lock free, maybe in the child of a vfork, which shares this memory with its
/// parent: nothing may be left changed.
/// `mask` is the guest's signal mask; all signals are blocked, and are so when it fails.
std::int64_t execute_program(std::int64_t number, const Word arguments[6], KernelMask mask);

/// Why the engine would not work in a program that this process executes now, as a phrase; null if
/// it would.
const char* engine_cannot_run();

}  // namespace bops::native

#endif

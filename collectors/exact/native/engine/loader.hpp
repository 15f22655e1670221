/// Puts a program into memory as execve would: its segments, its interpreter's, the vdso, the
/// initial stack.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_LOADER_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_LOADER_HPP

#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

/// The engine is executed as
///   bops-native-engine PROFILE EXECFN PROGRAM [ARGV0 [ARGS...]]
/// EXECFN is what the guest's AT_EXECFN shall name; PROGRAM the ELF file (never a script). The
/// environment is the guest's own, untouched.
struct Start {
  Word pc;  ///< of the interpreter, or of the program if it has none
  Word rsp;
};

/// `stack` is what the kernel left: argc, argv, envp, auxv. The code cache's place has to be kept
/// free: it is chosen first (choose_cache_place) from the program's headers. Dies with status 125
/// and a MESSAGE if the program cannot be loaded after all.
Start load_program(Word* stack);

/// Where `size` bytes of code cache go: below 2 GiB, above the GiB in which code is put, out of the
/// program's way. 0 if there is no such place. Called by load_program, before anything is mapped.
Word choose_cache_place(Word size, Word program_start, Word program_end);

}  // namespace bops::native

#endif

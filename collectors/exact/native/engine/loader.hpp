/// Puts a program into memory as execve would: its segments, its interpreter's, the vdso, the
/// initial stack.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_LOADER_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_LOADER_HPP

#include "collectors/exact/native/engine/elf_image.hpp"

namespace bops::native {

/// The engine is executed as
///   bops-native-engine PROFILE EXECFN PROGRAM [ARGV0 [ARGS...]]
/// PROFILE is a path, or mask=HEX:PATH, where HEX is the signal mask that the guest shall have: all
/// signals are blocked while one program replaces another. cache=HEX:PATH is for tests: a cache of
/// so many bytes. EXECFN is what the guest's AT_EXECFN shall name; PROGRAM the ELF file (never a
/// script), or fd:N, an open descriptor that is then closed. The environment is the guest's own,
/// untouched.
struct Start {
  Word pc;  ///< of the interpreter, or of the program if it has none
  Word rsp;
};

/// The words of its command line that are the engine's.
enum EngineWord { kEngineWord, kProfileWord, kExecfnWord, kProgramWord, kGuestWords };

/// `stack` is what the kernel left: argc, argv, envp, auxv; `program` the guest's ELF file, which
/// is closed. Sets engine.cache_place and engine.cache_size, and keeps that place out of
/// everything's way. If the program cannot be loaded after all, ends with status 125, a line on
/// stderr and a MESSAGE.
Start load_program(Word* stack, const ElfFile& program);

/// Where `size` bytes of code cache go: below 2 GiB, above the GiB in which code is put, out of the
/// program's way. 0 if there is no such place. Before anything is mapped there.
Word choose_cache_place(Word size, Word program_start, Word program_end);

}  // namespace bops::native

#endif

/// The guest's executable memory: where it may be put, what is there, and what happens to code that
/// was translated when it changes.
///
/// Invariant: every address that the guest may execute lies in a range listed here. Code outside
/// is never translated; a jump there is made natively, so that the kernel raises what it would.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_MEMORY_MAP_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_MEMORY_MAP_HPP

#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

struct ExecutableRange {
  Word start, end;
  Word file_offset, device, inode;
  std::uint32_t mapping;  ///< index of its MAPPING record, BOPS_PROFILE_NONE until a block needs it
  bool writable;          ///< at the time when it was mapped or protected last
  const char* path;       ///< never null; empty for anonymous memory
};

/// Adds a range, replacing what overlaps it. The path is copied. Engine lock held.
void add_executable(const ExecutableRange& range);
/// Takes [start, end) out, cutting ranges that straddle it, and invalidates its translations.
/// Engine lock held.
void remove_executable(Word start, Word end);
/// The range that holds `address`, or null. Valid until the next change. Engine lock held.
ExecutableRange* executable_at(Word address);
/// Whether another executable address is equal to `address` modulo a GiB: then entries of the target
/// table must check. Engine lock held.
bool is_aliased(Word address);

/// A free place of `size` bytes for code: below 1 GiB where there is room, then below 2 GiB, then
/// 0 (anywhere). Only a proposal: map it with MAP_FIXED_NOREPLACE and ask again if that fails.
/// Engine lock held.
Word propose_code_address(Word size);
/// Keeps [start, end) out of later proposals: the code cache, the program, the loader.
void reserve_low_range(Word start, Word end);

/// mmap, munmap, mprotect, pkey_mprotect, mremap, brk, shmat, shmdt: the guest's call, carried out.
/// Code goes where emitted code reaches it; protections and translations are kept in step.
std::int64_t memory_system_call(std::int64_t number, const Word arguments[6]);

}  // namespace bops::native

#endif

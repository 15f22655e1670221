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
  Word file_offset = 0, device = 0, inode = 0;
  /// Index of its MAPPING record, BOPS_PROFILE_NONE until a block needs it.
  std::uint32_t mapping = BOPS_PROFILE_NONE;
  bool writable = false;  ///< at the time when it was mapped or protected last
  bool guarded = false;   ///< it was translated, and the kernel is told that it is not writable
  bool dormant = false;   ///< not executable just now; kept for when it is again
  const char* path = "";  ///< never null; empty for anonymous memory
};

/// Adds a range, replacing what overlaps it. The path is copied. Translations at addresses that are
/// equal to its own modulo a GiB are forgotten, since the target table knows them unchecked. Engine
/// lock held.
void add_executable(const ExecutableRange& range);
/// Takes [start, end) out, cutting ranges that straddle it, and invalidates its translations.
/// Engine lock held.
void remove_executable(Word start, Word end);
/// The range that holds `address`, or null if it is not executable. Valid until the next change.
/// Engine lock held.
ExecutableRange* executable_at(Word address);
/// Whether another executable address is equal to `address` modulo a GiB: then entries of the
/// target table must check. Engine lock held.
bool is_aliased(Word address);

/// Before code at `address` is read to be translated: if the guest may write it, its page and the
/// next are protected, so that a write faults. Whether that was needed. Engine lock held.
bool guard_code(Word address);
/// The guest writes at `address`. True if that faulted because of guard_code: its page is writable
/// again, and translations of it are forgotten. Engine lock held.
bool release_written_code(Word address);
/// Before the kernel writes [start, end) for the guest, which would get EFAULT where code is
/// guarded.
void release_code_in(Word start, Word end);

/// Makes all that guard_code protects writable again. Engine lock held.
void release_guarded_code();

/// A free place of `size` bytes for code: below 1 GiB where there is room, then below 2 GiB, then
/// 0 (anywhere). Only a proposal: map it with MAP_FIXED_NOREPLACE and ask again if that fails.
/// Engine lock held.
Word propose_code_address(Word size);
/// Keeps [start, end) out of later proposals: the code cache, the program, the loader.
void reserve_low_range(Word start, Word end);

/// Brings [start, end) into line with /proc/self/maps, forgetting all translations there. Engine
/// lock held.
void read_executables_again(Word start, Word end);
/// Whether a listed range, dormant or not, overlaps [start, end). Engine lock held.
bool has_executables(Word start, Word end);
/// [start, end) may not be executed for now: invalidates its translations. Engine lock held.
void put_executables_to_sleep(Word start, Word end);
/// [start, end), all of it listed, may be executed (again). False if some of it is not listed; then
/// nothing is changed. Engine lock held.
bool wake_executables(Word start, Word end, bool writable);

/// mmap, munmap, mprotect, pkey_mprotect, mremap, brk, madvise, shmat, shmdt: the guest's call,
/// carried out. Code goes where emitted code reaches it; protections and translations are kept in
/// step. Engine lock free.
std::int64_t memory_system_call(std::int64_t number, const Word arguments[6]);
/// The kernel did not let the heap be moved out of the engine's way: brk is carried out in memory
/// reserved for it.
void emulate_heap();

}  // namespace bops::native

#endif

/// The engine's own state: one for each process of the guest.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_ENGINE_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_ENGINE_HPP

#include "collectors/exact/native/engine/area.hpp"
#include "collectors/exact/native/engine/lock.hpp"
#include "collectors/exact/native/engine/signal_frame.hpp"

extern "C" {
#include "collectors/exact/profile_writer.h"
}

namespace bops::native {

inline constexpr Word kPageSize = 4096;
inline constexpr std::size_t kPathMax = 4096;

/// Set once by boot, read by everybody.
struct Paths {
  char engine[kPathMax];   ///< this executable, absolute
  char profile[kPathMax];  ///< of the run
  char program[kPathMax];  ///< what /proc/self/exe would name: the guest's ELF file, resolved
};

struct Engine {
  /// Guards everything but what belongs to one thread: cache, tables, maps, the profile writer.
  Lock lock;
  profile_writer writer;
  bops_profile_process* process;  ///< the current process's record; null if there was no room
  Paths paths;
  KernelMask first_mask;  ///< that the guest starts with, if has_first_mask; else the kernel's
  bool has_first_mask;
  Word program_device, program_inode;
  Word cache_place;  ///< where the code cache goes: free memory below 2 GiB
  Word cache_size;
  Word cache_limit;  ///< of a cache smaller than usual, for tests; 0: none
  /// Why programs that the guest executes cannot be counted: it has installed a seccomp filter that
  /// forbids what the engine needs to start. Null: they can be.
  const char* filter_forbids_start;
};

extern constinit Engine engine;

/// Anonymous private memory, not backed until touched; aborts the run if there is none.
void* reserve_memory(Word size);

/// The same; null if there is none.
void* try_to_reserve_memory(Word size);

/// Keeps the guest from mapping over [start, end). reserve_memory does it for what it returns.
void protect_engine_range(Word start, Word end);
/// Whether some of [start, end) is the engine's. Needs no lock.
bool is_engine_memory(Word start, Word end);

/// Unmaps what reserve_memory returned or protect_engine_range was told of.
void give_up_memory(Word start, Word size);

/// Unmaps everything large that the engine has reserved or mapped, the cache and the profile
/// included, as no thread will need it any more. The stacks stay.
void give_up_tables();

/// Writes a MESSAGE record: what the engine has to say never goes to the target's streams. With the
/// engine lock held or free.
void say(const char* text);

/// For what must not happen: says so and kills the process with SIGABRT.
[[noreturn]] void give_up(const char* text);

#define BOPS_NATIVE_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::bops::native::give_up("assertion failed: " #condition))

/// Copies between the guest's memory and the engine's. False if some of it cannot be read or
/// written; then nothing is known of how much was copied.
bool copy_guest(void* to, const void* from, std::size_t size);

template <class T>
bool read_guest(Word address, T& value) {
  return copy_guest(&value, reinterpret_cast<const void*>(address), sizeof value);
}

template <class T>
bool write_guest(Word address, const T& value) {
  return copy_guest(reinterpret_cast<void*>(address), &value, sizeof value);
}

/// Copies a NUL-terminated string; false if it is unreadable or longer than size - 1.
bool read_guest_string(Word address, char* text, std::size_t size);

}  // namespace bops::native

#endif

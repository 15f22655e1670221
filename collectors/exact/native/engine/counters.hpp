/// Where executions are counted: windows of the block profile, mapped into each thread's area.
///
/// Block number n counts in slot n % kWindowCounters of window n / kWindowCounters. A window is one
/// extent of the profile with one COUNTERS record, mapped a second time at a fixed distance from
/// GS; so SIGKILL loses nothing.
///
/// Invariant: before code of block n can run, window n / kWindowCounters is mapped in every area.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_COUNTERS_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_COUNTERS_HPP

#include "collectors/exact/native/engine/engine.hpp"

namespace bops::native {

inline constexpr Word kWindowSize = BOPS_PROFILE_EXTENT_SIZE;
inline constexpr Word kWindowHeader = sizeof(bops_profile_extent) + sizeof(bops_profile_counters);
inline constexpr std::uint32_t kWindowCounters =
    static_cast<std::uint32_t>((kWindowSize - kWindowHeader) / sizeof(std::uint64_t));
inline constexpr std::uint32_t kMaxWindows =
    static_cast<std::uint32_t>((GS_SLOTS - GS_COUNTERS) / static_cast<int>(kWindowSize));

/// Displacement from GS of a block's counter.
inline int counter_offset(std::uint32_t number) {
  return GS_COUNTERS + static_cast<int>(number / kWindowCounters * kWindowSize + kWindowHeader +
                                        number % kWindowCounters * sizeof(std::uint64_t));
}
inline std::uint64_t& counter_of(const Area* area, std::uint32_t number) {
  return *static_cast<std::uint64_t*>(at_gs(area, counter_offset(number)));
}

/// The profile's id of a block. Its window must have been opened.
std::uint64_t profile_id(std::uint32_t number);

/// The first number from `number` on that is followed by `count` - 1 more in the same window.
inline std::uint32_t numbers_in_one_window(std::uint32_t number, std::uint32_t count) {
  const std::uint32_t left = kWindowCounters - number % kWindowCounters;
  return count <= left ? number : number + left;
}

/// Opens the window of block `number` in all areas. False if the process has no more windows.
/// Engine lock held.
bool open_window_of(std::uint32_t number);

/// An area for `thread`, its windows open, its counts 0, entered under `context` (the index of a
/// THREAD or REGION record). Null if there is no memory. Engine lock held.
Area* take_area(Thread* thread, std::uint32_t context);
/// Gives the area's counts to another THREAD or REGION record.
void set_area_owner(Area* area, std::uint32_t context);
/// Lists what the area has counted in PACKED records. False if there is no room. Engine lock held.
bool pack_area(const Area* area);
/// Empties an area that was packed and keeps it for another thread. Engine lock held.
void give_area_back(Area* area);

/// In the child of a fork: `area` is the only one left, with counters and a table of its own.
void counters_after_fork(Area* area, std::uint32_t context);

/// Records that one execution of a block, which is counted, went only so far. Engine lock held.
void count_partial(Area* area, std::uint32_t number, unsigned completed);

/// Whether `address` lies in a window of an area.
bool is_counter_address(Word address);
/// No storage is left for the counter at `address`: what is counted there from now on is lost, and
/// said to be.
void replace_lost_page(Word address);

}  // namespace bops::native

#endif

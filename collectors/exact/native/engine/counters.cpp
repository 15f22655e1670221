#include "collectors/exact/native/engine/counters.hpp"

#include "collectors/exact/native/engine/thread.hpp"

namespace bops::native {
namespace {

constexpr int kMmap = 9, kMunmap = 11, kMremap = 25, kMincore = 27, kSysinfo = 99;
constexpr Word kProtNone = 0, kProtReadWrite = 3;
constexpr Word kShared = 1, kPrivate = 2, kFixed = 0x10, kAnonymous = 0x20, kNoReserve = 0x4000;
constexpr Word kMayMove = 1, kMoveFixed = 2;
constexpr Word kNoFile = ~Word{0};

constexpr Word kTableSize = Word{1} << 32;
constexpr Word kSlotsSize = static_cast<Word>(GS_TABLE - GS_SLOTS);
constexpr Word kAreaSize = static_cast<Word>(GS_TABLE - GS_COUNTERS) + kTableSize;
constexpr std::uint32_t kMaxAreas = 1 << 15;

/// All that belongs to the counters of one process.
struct {
  std::uint64_t first_id[kMaxWindows];  ///< profile id of each window's first block
  std::uint32_t windows;
  Area** areas;  ///< all areas that exist, free ones too
  std::uint32_t area_count;
  Area* free;  ///< by Area::next
} counters;

Word window_address(const Area* area, std::uint32_t window) {
  return gs_of(area) + static_cast<Word>(std::int64_t{GS_COUNTERS}) + window * kWindowSize;
}

bops_profile_counters* record_of(const Area* area, std::uint32_t window) {
  return reinterpret_cast<bops_profile_counters*>(window_address(area, window) +
                                                  sizeof(bops_profile_extent));
}

bool map_at(Word address, Word size, Word protection, Word flags) {
  return kernel_call(kMmap, address, size, protection, flags | kFixed, kNoFile, 0) ==
         static_cast<std::int64_t>(address);
}

/// Maps the same memory a second time.
bool map_again(Word from, Word size, Word to) {
  return kernel_call(kMremap, from, 0, size, kMayMove | kMoveFixed, to) ==
         static_cast<std::int64_t>(to);
}

/// Opens windows [first, first + count) of an area with new extents of the profile. Where there is
/// no storage left, with memory that nobody reads.
bool open_windows(Area* area, std::uint32_t first, std::uint32_t count) {
  if (count == 0) return true;
  bops_profile_extent* const extents = profile_writer_new_extents(&engine.writer, count);
  if (!extents) {
    profile_writer_lost(&engine.writer);
    return map_at(window_address(area, first), count * kWindowSize, kProtReadWrite,
                  kPrivate | kAnonymous | kNoReserve);
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    auto* const base = reinterpret_cast<char*>(extents) + i * kWindowSize;
    auto* const record = reinterpret_cast<bops_profile_counters*>(base + sizeof *extents);
    record->record.size =
        static_cast<std::uint32_t>(sizeof *record + kWindowCounters * sizeof(std::uint64_t));
    record->thread = area->context;
    record->blocks = kWindowCounters;
    record->first_block = counters.first_id[first + i];
    profile_record_publish(&record->record, BOPS_RECORD_COUNTERS);
  }
  return map_again(word(extents), count * kWindowSize, window_address(area, first));
}

/// The table is shared by all areas of a process.
bool map_table(const Area* area) {
  if (counters.area_count == 0)
    return map_at(gs_of(area), kTableSize, kProtReadWrite, kShared | kAnonymous | kNoReserve);
  return map_again(gs_of(counters.areas[0]), kTableSize, gs_of(area));
}

Area* create_area() {
  if (!counters.areas)
    counters.areas = static_cast<Area**>(reserve_memory(sizeof(Area* [kMaxAreas])));
  if (counters.area_count == kMaxAreas) return nullptr;
  const auto base =
      kernel_call(kMmap, 0, kAreaSize, kProtNone, kPrivate | kAnonymous | kNoReserve, kNoFile, 0);
  if (failed(base)) return nullptr;
  const Word gs = static_cast<Word>(base) + static_cast<Word>(GS_TABLE - GS_COUNTERS);
  auto* const area = reinterpret_cast<Area*>(gs - kSlotsSize);
  if (!map_at(word(area), kSlotsSize, kProtReadWrite, kPrivate | kAnonymous) || !map_table(area)) {
    kernel_call(kMunmap, static_cast<Word>(base), kAreaSize);
    return nullptr;
  }
  protect_engine_range(static_cast<Word>(base), static_cast<Word>(base) + kAreaSize);
  area->self = area;
  counters.areas[counters.area_count++] = area;
  return area;
}

/// Swapped out pages are not resident; then nothing tells them from pages that were never touched.
bool is_swap_in_use() {
  struct {
    std::int64_t uptime;
    Word loads[3], total_memory, free_memory, shared_memory, buffers, total_swap, free_swap,
        rest[8];
  } facts{};
  return failed(kernel_call(kSysinfo, word(&facts))) || facts.total_swap != facts.free_swap;
}

/// Calls `visit(number, counter)` for each counter that is not 0. Pages that were never touched are
/// not touched now either.
template <class Visit>
void visit_counters(const Area* area, Visit visit) {
  constexpr Word kPages = kWindowSize / kPageSize;
  const bool visits_all = is_swap_in_use();
  for (std::uint32_t window = 0; window < area->windows; ++window) {
    const Word base = window_address(area, window);
    std::uint8_t resident[kPages] = {};
    const bool is_known =
        !visits_all && !failed(kernel_call(kMincore, base, kWindowSize, word(resident)));
    for (Word page = 0; page < kPages; ++page) {
      if (is_known && (resident[page] & 1) == 0) continue;
      const Word end = base + (page + 1) * kPageSize;
      Word at = page == 0 ? base + kWindowHeader : base + page * kPageSize;
      for (; at < end; at += sizeof(std::uint64_t)) {
        auto& counter = *reinterpret_cast<std::uint64_t*>(at);
        if (counter == 0) continue;
        const auto slot = static_cast<std::uint32_t>((at - base - kWindowHeader) / 8);
        visit(window * kWindowCounters + slot, counter);
      }
    }
  }
}

/// Lists what an area has counted. False if there is no room for the list.
bool write_packed(const Area* area) {
  constexpr std::uint32_t kMaxEntries = PROFILE_PACKED_MAX_ENTRIES;
  std::uint32_t left = 0;
  visit_counters(area, [&](std::uint32_t, std::uint64_t) { ++left; });
  bops_profile_packed* packed = nullptr;
  std::uint32_t used = 0;
  bool has_room = true;
  visit_counters(area, [&](std::uint32_t number, std::uint64_t executions) {
    if (!has_room || left == 0) return;
    if (!packed) {
      used = 0;
      packed = profile_writer_new_packed(&engine.writer, area->context,
                                         left < kMaxEntries ? left : kMaxEntries);
      has_room = packed != nullptr;
      if (!has_room) return;
    }
    packed->entry[used].block = profile_id(number);
    packed->entry[used].executions = executions;
    --left;
    if (++used < packed->entries) return;
    profile_record_publish(&packed->record, BOPS_RECORD_PACKED);
    packed = nullptr;
  });
  return has_room;
}

void forget_area(Area* area) {
  give_up_memory(gs_of(area) + static_cast<Word>(std::int64_t{GS_COUNTERS}), kAreaSize);
}

}  // namespace

std::uint64_t profile_id(std::uint32_t number) {
  return counters.first_id[number / kWindowCounters] + number % kWindowCounters;
}

bool open_window_of(std::uint32_t number) {
  const std::uint32_t window = number / kWindowCounters;
  if (window < counters.windows) return true;
  if (window >= kMaxWindows || !engine.writer.header) return false;
  counters.first_id[window] = profile_writer_take_ids(&engine.writer, kWindowCounters);
  for (std::uint32_t i = 0; i < counters.area_count; ++i) {
    Area* const area = counters.areas[i];
    if (!open_windows(area, window, 1)) return false;
    area->windows = window + 1;
  }
  counters.windows = window + 1;
  return true;
}

Area* take_area(Thread* thread, std::uint32_t context) {
  Area* area = counters.free;
  if (area)
    counters.free = area->next;
  else
    area = create_area();
  if (!area) return nullptr;
  area->next = nullptr;
  area->thread = thread;
  set_area_owner(area, context);
  if (!open_windows(area, area->windows, counters.windows - area->windows)) {
    area->next = counters.free;
    counters.free = area;
    return nullptr;
  }
  area->windows = counters.windows;
  return area;
}

void set_area_owner(Area* area, std::uint32_t context) {
  area->context = context;
  for (std::uint32_t i = 0; i < area->windows; ++i) {
    bops_profile_counters* const record = record_of(area, i);
    if (record->record.type == BOPS_RECORD_COUNTERS)
      __atomic_store_n(&record->thread, context, __ATOMIC_RELEASE);
  }
}

bool pack_area(const Area* area) {
  return write_packed(area);
}

void give_area_back(Area* area) {
  visit_counters(area, [](std::uint32_t, std::uint64_t& counter) { counter = 0; });
  set_area_owner(area, BOPS_PROFILE_NONE);
  area->thread = nullptr;
  area->next = counters.free;
  counters.free = area;
}

void counters_after_fork(Area* area, std::uint32_t context) {
  for (std::uint32_t i = 0; i < counters.area_count; ++i)
    if (counters.areas[i] != area) forget_area(counters.areas[i]);
  counters.areas[0] = area;
  counters.area_count = 0;
  counters.free = nullptr;
  BOPS_NATIVE_ASSERT(map_table(area));
  counters.area_count = 1;
  area->context = context;
  if (!open_windows(area, 0, counters.windows)) give_up("a forked child cannot map its counters");
}

void count_partial(Area* area, std::uint32_t number, unsigned completed) {
  bops_profile_partial* const record = find_partial(area->thread, area->context, number, completed);
  if (record) __atomic_store_n(&record->times, record->times + 1, __ATOMIC_RELAXED);
}

bool is_counter_address(Word address) {
  for (std::uint32_t i = 0; i < counters.area_count; ++i)
    if (address - window_address(counters.areas[i], 0) < kMaxWindows * kWindowSize) return true;
  return false;
}

void replace_lost_page(Word address) {
  profile_writer_lost(&engine.writer);
  map_at(address / kPageSize * kPageSize, kPageSize, kProtReadWrite, kPrivate | kAnonymous);
}

}  // namespace bops::native

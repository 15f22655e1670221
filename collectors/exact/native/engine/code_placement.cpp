/// Where code goes. The kernel puts hardly anything below 2 GiB by itself, so free memory is looked
/// for in /proc/self/maps once, and handed out from the gap found until that is used up.
#include "collectors/exact/native/engine/memory_map.hpp"
#include "collectors/exact/native/engine/process_maps.hpp"

namespace bops::native {
namespace {

constexpr Word kGiB = Word{1} << 30;
/// Below, a null pointer with an offset must fault; and programs that are linked to an address are
/// linked to this one.
constexpr Word kFirst = Word{4} << 20;
/// Large pieces are reservations for code that is generated: large pages should fit.
constexpr Word kLargePage = Word{2} << 20;

struct Gap {
  Word start, end;
};

constexpr std::size_t kMaxReserved = 16;
Gap reserved[kMaxReserved];
std::size_t reserved_count;

Gap gap;

Word align(Word address, Word size) {
  const Word alignment = size >= kLargePage ? kLargePage : kPageSize;
  return (address + alignment - 1) & ~(alignment - 1);
}

/// The first place for `size` bytes in [start, end) that is not reserved; 0 if there is none.
Word place_in(Word start, Word end, Word size) {
  Word place = align(start, size);
  for (std::size_t i = 0; i < reserved_count; ++i) {
    if (place >= reserved[i].end || place + size <= reserved[i].start) continue;
    place = align(reserved[i].end, size);
    i = static_cast<std::size_t>(-1);  // maybe into another one: look at all of them again
  }
  return place + size <= end ? place : 0;
}

/// The first free memory of `size` bytes in [start, end).
Word find_place(Word start, Word end, Word size, Gap& found) {
  ProcessMaps maps;
  if (!maps.is_readable()) return 0;
  Word free = start;
  MemoryMapping mapping{};
  for (bool more = true; more && free < end;) {
    more = maps.next(mapping);
    const Word limit = more && mapping.start < end ? mapping.start : end;
    const Word place = free < limit ? place_in(free, limit, size) : 0;
    if (place != 0) {
      found = {place, limit};
      return place;
    }
    if (more && mapping.end > free) free = mapping.end;
  }
  return 0;
}

}  // namespace

void reserve_low_range(Word start, Word end) {
  BOPS_NATIVE_ASSERT(reserved_count < kMaxReserved);
  reserved[reserved_count++] = {start, end};
}

Word propose_code_address(Word size) {
  size = (size + kPageSize - 1) & ~(kPageSize - 1);
  if (size == 0 || size > 2 * kGiB) return 0;
  Word place = place_in(gap.start, gap.end, size);
  if (place == 0) place = find_place(kFirst, kGiB, size, gap);
  if (place != 0) {
    gap.start = place + size;
    return place;
  }
  Gap unused{};
  place = find_place(kGiB, 2 * kGiB, size, unused);
  return place != 0 ? place : find_place(kFirst, 2 * kGiB, size, unused);
}

}  // namespace bops::native

// Quicksort that digs a hole: the pivot is lifted out, keys move into the hole in turn.
#include "workloads/make_instance.hpp"
#include "workloads/sort/sort_instance.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void hole_pointers(Pointer<L, int> low, Pointer<L, int> high) {
  if (low < high) {
    Pointer<L, int> left = low;
    Pointer<L, int> right = high;
    const Value<L, int> pivot = *low;
    while (left < right) {
      while (L::kShortCircuit && left < right && *right >= pivot) --right;
      if (left < right) {
        *left = *right;
        ++left;
      }
      while (L::kShortCircuit && left < right && *left < pivot) ++left;
      if (left < right) {
        *right = *left;
        --right;
      }
    }
    *left = pivot;
    hole_pointers<L>(low, left - 1);
    hole_pointers<L>(left + 1, high);
  }
}

template <class L>
[[gnu::noinline]] void hole_indices(Array<L, int> keys, Index<L> low, Index<L> high) {
  if (low < high) {
    Index<L> left = low;
    Index<L> right = high;
    const Value<L, int> pivot = keys[low];
    while (left < right) {
      while (L::kShortCircuit && left < right && keys[right] >= pivot) --right;
      if (left < right) {
        keys[left] = keys[right];
        ++left;
      }
      while (L::kShortCircuit && left < right && keys[left] < pivot) ++left;
      if (left < right) {
        keys[right] = keys[left];
        --right;
      }
    }
    keys[left] = pivot;
    hole_indices<L>(keys, low, left - 1);
    hole_indices<L>(keys, left + 1, high);
  }
}

}  // namespace kernels

namespace {

struct Hole {
  static constexpr std::int64_t guard(std::int64_t) { return 1; }
  template <class L>
  static void sort_pointers(Pointer<L, int> first, Pointer<L, int> end, std::int64_t) {
    kernels::hole_pointers<L>(first, end - 1);
  }
  template <class L>
  static void sort_indices(Array<L, int> keys, std::int64_t size) {
    kernels::hole_indices<L>(keys, 0, size - 1);
  }
};

template <class L, Style kStyle>
using HoleInstance = SortInstance<L, kStyle, Hole>;

}  // namespace

Kernel quicksort_hole_kernel() {
  return {.name = "quicksort_hole",
          .title = "quicksort that digs a hole for the pivot",
          .size_unit = "keys",
          .default_size = 40'000,
          .minimum_size = 1,
          .maximum_size = 1'000'000'000,
          .maximum_skewed_size = 20'000,
          .make = make_instance<HoleInstance>};
}

}  // namespace bops::workloads

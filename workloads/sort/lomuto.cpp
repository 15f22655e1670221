// Quicksort with Lomuto's partition: one scan, the last key is the pivot.
#include "workloads/make_instance.hpp"
#include "workloads/sort/sort_instance.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void lomuto_pointers(Pointer<L, int> low, Pointer<L, int> high) {
  if (low < high) {
    const Value<L, int> pivot = *high;
    Pointer<L, int> small = low - 1;
    for (LoopPointer<L, int> scan = low; scan < high; ++scan) {
      if (*scan <= pivot) {
        ++small;
        const Value<L, int> key = *small;
        *small = *scan;
        *scan = key;
      }
    }
    ++small;
    const Value<L, int> key = *small;
    *small = *high;
    *high = key;
    lomuto_pointers<L>(low, small - 1);
    lomuto_pointers<L>(small + 1, high);
  }
}

template <class L>
[[gnu::noinline]] void lomuto_indices(Array<L, int> keys, Index<L> low, Index<L> high) {
  if (low < high) {
    const Value<L, int> pivot = keys[high];
    Index<L> small = low - 1;
    for (LoopIndex<L> scan = low; scan < high; ++scan) {
      if (keys[scan] <= pivot) {
        ++small;
        const Value<L, int> key = keys[small];
        keys[small] = keys[scan];
        keys[scan] = key;
      }
    }
    ++small;
    const Value<L, int> key = keys[small];
    keys[small] = keys[high];
    keys[high] = key;
    lomuto_indices<L>(keys, low, small - 1);
    lomuto_indices<L>(keys, small + 1, high);
  }
}

}  // namespace kernels

namespace {

struct Lomuto {
  static constexpr std::int64_t guard(std::int64_t) { return 1; }
  template <class L>
  static void sort_pointers(Pointer<L, int> first, Pointer<L, int> end, std::int64_t) {
    kernels::lomuto_pointers<L>(first, end - 1);
  }
  template <class L>
  static void sort_indices(Array<L, int> keys, std::int64_t size) {
    kernels::lomuto_indices<L>(keys, 0, size - 1);
  }
};

template <class L, Style kStyle>
using LomutoInstance = SortInstance<L, kStyle, Lomuto>;

}  // namespace

Kernel quicksort_lomuto_kernel() {
  return {.name = "quicksort_lomuto",
          .title = "quicksort, Lomuto's partition",
          .size_unit = "keys",
          .default_size = 40'000,
          .minimum_size = 1,
          .maximum_size = 1'000'000'000,
          .maximum_skewed_size = 20'000,
          .make = make_instance<LomutoInstance>};
}

}  // namespace bops::workloads

// Quicksort with Hoare's partition: two scans towards each other, the first key is the pivot.
#include "workloads/make_instance.hpp"
#include "workloads/sort/sort_instance.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void hoare_pointers(Pointer<L, int> low, Pointer<L, int> high) {
  Pointer<L, int> left = low;
  Pointer<L, int> right = high;
  const Value<L, int> pivot = *low;
  while (left <= right) {
    while (*left < pivot) ++left;
    while (pivot < *right) --right;
    if (left <= right) {
      const Value<L, int> key = *left;
      *left = *right;
      *right = key;
      ++left;
      --right;
    }
  }
  if (low < right) hoare_pointers<L>(low, right);
  if (left < high) hoare_pointers<L>(left, high);
}

template <class L>
[[gnu::noinline]] void hoare_indices(Array<L, int> keys, Index<L> low, Index<L> high) {
  Index<L> left = low;
  Index<L> right = high;
  const Value<L, int> pivot = keys[low];
  while (left <= right) {
    while (keys[left] < pivot) ++left;
    while (pivot < keys[right]) --right;
    if (left <= right) {
      const Value<L, int> key = keys[left];
      keys[left] = keys[right];
      keys[right] = key;
      ++left;
      --right;
    }
  }
  if (low < right) hoare_indices<L>(keys, low, right);
  if (left < high) hoare_indices<L>(keys, left, high);
}

}  // namespace kernels

namespace {

struct Hoare {
  static constexpr std::int64_t guard(std::int64_t) { return 1; }
  template <class L>
  static void sort_pointers(Pointer<L, int> first, Pointer<L, int> end, std::int64_t) {
    kernels::hoare_pointers<L>(first, end - 1);
  }
  template <class L>
  static void sort_indices(Array<L, int> keys, std::int64_t size) {
    kernels::hoare_indices<L>(keys, 0, size - 1);
  }
};

template <class L, Style kStyle>
using HoareInstance = SortInstance<L, kStyle, Hoare>;

}  // namespace

Kernel quicksort_hoare_kernel() {
  return {.name = "quicksort_hoare",
          .title = "quicksort, Hoare's partition",
          .size_unit = "keys",
          .default_size = 40'000,
          .minimum_size = 1,
          .maximum_size = 1'000'000'000,
          .maximum_skewed_size = 20'000,
          .make = make_instance<HoareInstance>};
}

}  // namespace bops::workloads

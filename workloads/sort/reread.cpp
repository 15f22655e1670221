// Quicksort as many textbooks have it: the pivot stays in place and is read again each time.
#include "workloads/make_instance.hpp"
#include "workloads/sort/sort_instance.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void reread_pointers(Pointer<L, int> low, Pointer<L, int> high) {
  if (low >= high) return;
  Pointer<L, int> left = low;
  Pointer<L, int> right = high;
  while (left != right) {
    while (L::kShortCircuit && *right >= *low && left < right) --right;
    while (L::kShortCircuit && *left <= *low && left < right) ++left;
    if (left < right) {
      const Value<L, int> key = *left;
      *left = *right;
      *right = key;
    }
  }
  const Value<L, int> key = *low;
  *low = *left;
  *left = key;
  reread_pointers<L>(low, left - 1);
  reread_pointers<L>(left + 1, high);
}

template <class L>
[[gnu::noinline]] void reread_indices(Array<L, int> keys, Index<L> low, Index<L> high) {
  if (low >= high) return;
  Index<L> left = low;
  Index<L> right = high;
  while (left != right) {
    while (L::kShortCircuit && keys[right] >= keys[low] && left < right) --right;
    while (L::kShortCircuit && keys[left] <= keys[low] && left < right) ++left;
    if (left < right) {
      const Value<L, int> key = keys[left];
      keys[left] = keys[right];
      keys[right] = key;
    }
  }
  const Value<L, int> key = keys[low];
  keys[low] = keys[left];
  keys[left] = key;
  reread_indices<L>(keys, low, left - 1);
  reread_indices<L>(keys, left + 1, high);
}

}  // namespace kernels

namespace {

struct Reread {
  static constexpr std::int64_t guard(std::int64_t) { return 1; }
  template <class L>
  static void sort_pointers(Pointer<L, int> first, Pointer<L, int> end, std::int64_t) {
    kernels::reread_pointers<L>(first, end - 1);
  }
  template <class L>
  static void sort_indices(Array<L, int> keys, std::int64_t size) {
    kernels::reread_indices<L>(keys, 0, size - 1);
  }
};

template <class L, Style kStyle>
using RereadInstance = SortInstance<L, kStyle, Reread>;

}  // namespace

Kernel quicksort_reread_kernel() {
  return {.name = "quicksort_reread",
          .title = "quicksort, pivot read again at each comparison (textbook form)",
          .size_unit = "keys",
          .default_size = 40'000,
          .minimum_size = 1,
          .maximum_size = 1'000'000'000,
          .maximum_skewed_size = 20'000,
          .make = make_instance<RereadInstance>};
}

}  // namespace bops::workloads

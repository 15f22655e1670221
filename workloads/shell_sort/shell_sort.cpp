// Shell sort with Shell's own gaps: half of the size, halved each time.
#include "workloads/make_instance.hpp"
#include "workloads/sort/sort_instance.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void shell_sort_pointers(Pointer<L, int> first, Pointer<L, int> end,
                                           Index<L> half) {
  for (Index<L> gap = half; gap > 0; gap = gap >> 1) {
    for (LoopPointer<L, int> next = first + gap; next < end; ++next) {
      const Value<L, int> key = *next;
      Pointer<L, int> hole = next;
      Pointer<L, int> before = hole - gap;
      while (L::kShortCircuit && before >= first && *before > key) {
        *hole = *before;
        hole -= gap;
        before -= gap;
      }
      *hole = key;
    }
  }
}

template <class L>
[[gnu::noinline]] void shell_sort_indices(Array<L, int> keys, Index<L> size) {
  for (Index<L> gap = size >> 1; gap > 0; gap = gap >> 1) {
    for (LoopIndex<L> next = gap; next < size; ++next) {
      const Value<L, int> key = keys[next];
      Index<L> hole = next;
      while (L::kShortCircuit && hole >= gap && keys[hole - gap] > key) {
        keys[hole] = keys[hole - gap];
        hole -= gap;
      }
      keys[hole] = key;
    }
  }
}

}  // namespace kernels

namespace {

struct ShellSort {
  static constexpr std::int64_t guard(std::int64_t size) { return size / 2; }
  template <class L>
  static void sort_pointers(Pointer<L, int> first, Pointer<L, int> end, std::int64_t size) {
    kernels::shell_sort_pointers<L>(first, end, size / 2);
  }
  template <class L>
  static void sort_indices(Array<L, int> keys, std::int64_t size) {
    kernels::shell_sort_indices<L>(keys, size);
  }
};

template <class L, Style kStyle>
using ShellSortInstance = SortInstance<L, kStyle, ShellSort>;

}  // namespace

Kernel shell_sort_kernel() {
  return {.name = "shell_sort",
          .title = "Shell sort, gaps halved",
          .size_unit = "keys",
          .default_size = 40'000,
          .minimum_size = 2,
          .maximum_size = 1'000'000'000,
          .maximum_skewed_size = 1'000'000'000,
          .make = make_instance<ShellSortInstance>};
}

}  // namespace bops::workloads

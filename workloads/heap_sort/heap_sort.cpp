// Heap sort: the largest key of a binary heap goes to the end, again and again.
#include "workloads/make_instance.hpp"
#include "workloads/sort/sort_instance.hpp"

namespace bops::workloads {
namespace kernels {

/// Puts the key of `node` where it belongs below it. Nodes from `first_leaf` on have no child.
template <class L>
[[gnu::noinline]] void sift_down_pointers(Pointer<L, int> root, Pointer<L, int> node,
                                          Pointer<L, int> first_leaf, Pointer<L, int> end) {
  const Value<L, int> key = *node;
  while (node < first_leaf) {
    Pointer<L, int> child = node + (node - root) + 1;
    Pointer<L, int> sibling = child + 1;
    if (L::kShortCircuit && sibling < end && *child < *sibling) child = sibling;
    if (*child <= key) break;
    *node = *child;
    node = child;
  }
  *node = key;
}

template <class L>
[[gnu::noinline]] void heap_sort_pointers(Pointer<L, int> root, Pointer<L, int> end,
                                          Index<L> half) {
  Pointer<L, int> first_leaf = root + half;
  for (LoopPointer<L, int> node = first_leaf; node > root;) {
    --node;
    sift_down_pointers<L>(root, node, first_leaf, end);
  }
  for (LoopPointer<L, int> last = end - 1; last > root; --last) {
    const Value<L, int> key = *root;
    *root = *last;
    *last = key;
    first_leaf = root + ((last - root) >> 1);
    sift_down_pointers<L>(root, root, first_leaf, last);
  }
}

/// Puts the key of `node` where it belongs below it. Nodes from `first_leaf` on have no child.
template <class L>
[[gnu::noinline]] void sift_down_indices(Array<L, int> keys, Index<L> node, Index<L> size) {
  const Value<L, int> key = keys[node];
  const Index<L> first_leaf = size >> 1;
  while (node < first_leaf) {
    Index<L> child = node * 2 + 1;
    Index<L> sibling = child + 1;
    if (L::kShortCircuit && sibling < size && keys[child] < keys[sibling]) child = sibling;
    if (keys[child] <= key) break;
    keys[node] = keys[child];
    node = child;
  }
  keys[node] = key;
}

template <class L>
[[gnu::noinline]] void heap_sort_indices(Array<L, int> keys, Index<L> size) {
  for (LoopIndex<L> node = (size >> 1) - 1; node >= 0; --node)
    sift_down_indices<L>(keys, node, size);
  for (LoopIndex<L> last = size - 1; last > 0; --last) {
    const Value<L, int> key = keys[0];
    keys[0] = keys[last];
    keys[last] = key;
    sift_down_indices<L>(keys, 0, last);
  }
}

}  // namespace kernels

namespace {

struct HeapSort {
  static constexpr std::int64_t guard(std::int64_t) { return 1; }
  template <class L>
  static void sort_pointers(Pointer<L, int> first, Pointer<L, int> end, std::int64_t size) {
    kernels::heap_sort_pointers<L>(first, end, size / 2);
  }
  template <class L>
  static void sort_indices(Array<L, int> keys, std::int64_t size) {
    kernels::heap_sort_indices<L>(keys, size);
  }
};

template <class L, Style kStyle>
using HeapSortInstance = SortInstance<L, kStyle, HeapSort>;

}  // namespace

Kernel heap_sort_kernel() {
  return {.name = "heap_sort",
          .title = "heap sort",
          .size_unit = "keys",
          .default_size = 40'000,
          .minimum_size = 2,
          .maximum_size = 1'000'000'000,
          .maximum_skewed_size = 1'000'000'000,
          .make = make_instance<HeapSortInstance>};
}

}  // namespace bops::workloads

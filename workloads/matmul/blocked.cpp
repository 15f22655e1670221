// The matrix product by square blocks that stay in the cache.
#include "workloads/make_instance.hpp"
#include "workloads/matmul/matmul_instance.hpp"

namespace bops::workloads {
namespace kernels {

/// Adds the product of one block of A and one of B to one block of C. Each argument points to the
/// block's first entry; `block_rows` is n times the block's edge.
template <class L>
[[gnu::noinline]] void matmul_block_pointers(Pointer<L, double> a, Pointer<L, double> b,
                                             Pointer<L, double> c, Index<L> n, Index<L> edge,
                                             Index<L> block_rows) {
  const Pointer<L, double> block_end = c + block_rows;
  Pointer<L, double> row_of_a = a;
  for (LoopPointer<L, double> row_of_c = c; row_of_c < block_end; row_of_c += n) {
    const Pointer<L, double> row_end = row_of_c + edge;
    Pointer<L, double> column = b;
    for (LoopPointer<L, double> entry = row_of_c; entry < row_end; ++entry) {
      Value<L, double> sum = *entry;
      Pointer<L, double> down = column;
      const Pointer<L, double> across_end = row_of_a + edge;
      for (LoopPointer<L, double> across = row_of_a; across < across_end; ++across) {
        sum += *across * *down;
        down += n;
      }
      *entry = sum;
      ++column;
    }
    row_of_a += n;
  }
}

template <class L>
[[gnu::noinline]] void matmul_blocked_pointers(Pointer<L, double> a, Pointer<L, double> b,
                                               Pointer<L, double> c, Pointer<L, double> c_end,
                                               Index<L> n, Index<L> edge) {
  const Index<L> block_rows = n * edge;
  Pointer<L, double> rows_of_a = a;
  for (LoopPointer<L, double> rows_of_c = c; rows_of_c < c_end; rows_of_c += block_rows) {
    const Pointer<L, double> a_end = rows_of_a + n;
    Pointer<L, double> rows_of_b = b;
    for (LoopPointer<L, double> block_of_a = rows_of_a; block_of_a < a_end; block_of_a += edge) {
      const Pointer<L, double> b_end = rows_of_b + n;
      Pointer<L, double> block_of_c = rows_of_c;
      for (LoopPointer<L, double> block_of_b = rows_of_b; block_of_b < b_end; block_of_b += edge) {
        matmul_block_pointers<L>(block_of_a, block_of_b, block_of_c, n, edge, block_rows);
        block_of_c += edge;
      }
      rows_of_b += block_rows;
    }
    rows_of_a += block_rows;
  }
}

template <class L>
[[gnu::noinline]] void matmul_blocked_indices(Rows<L, double> a, Rows<L, double> b,
                                              Rows<L, double> c, Index<L> n, Index<L> edge) {
  for (LoopIndex<L> block_i = 0; block_i < n; block_i += edge)
    for (LoopIndex<L> block_k = 0; block_k < n; block_k += edge)
      for (LoopIndex<L> block_j = 0; block_j < n; block_j += edge)
        for (LoopIndex<L> i = block_i; i < block_i + edge; ++i)
          for (LoopIndex<L> j = block_j; j < block_j + edge; ++j)
            for (LoopIndex<L> k = block_k; k < block_k + edge; ++k) c[i][j] += a[i][k] * b[k][j];
}

}  // namespace kernels

namespace {

/// 3 blocks of 32 x 32 doubles are 24 KiB: they fit any first-level cache of today.
constexpr std::int64_t kEdge = 32;

struct BlockedMatmul {
  template <class L>
  static void multiply_pointers(Pointer<L, double> a, Pointer<L, double> b, Pointer<L, double> c,
                                Pointer<L, double> c_end, std::int64_t n) {
    kernels::matmul_blocked_pointers<L>(a, b, c, c_end, n, kEdge);
  }
  template <class L>
  static void multiply_indices(Rows<L, double> a, Rows<L, double> b, Rows<L, double> c,
                               std::int64_t n) {
    kernels::matmul_blocked_indices<L>(a, b, c, n, kEdge);
  }
};

template <class L, Style kStyle>
using BlockedInstance = MatmulInstance<L, kStyle, BlockedMatmul>;

/// m blocks along an edge, hence m^3 products of e x e blocks.
Tallies expected(Style style, std::int64_t size) {
  const auto e = static_cast<std::uint64_t>(kEdge);
  const std::uint64_t m = static_cast<std::uint64_t>(size) / e;
  const std::uint64_t products = m * m * m;
  const std::uint64_t outer_compares = m * m * (m + 1) + m * (m + 1) + (m + 1);
  Tallies tallies;
  tallies[Category::kFloatingPoint] = products * 2 * e * e * e;
  tallies[Category::kLoopCompare] =
      products * (e * e * (e + 1) + e * (e + 1) + (e + 1)) + outer_compares;
  if (style == Style::kPointer) {
    tallies[Category::kPointerStep] =
        products * (2 * e * e * e + 3 * e * e + 3 * e + 1) + 2 * products + 3 * m * m + 3 * m;
    tallies[Category::kIntegerArithmetic] = 1;
  } else {
    tallies[Category::kLoopStep] = products * (e * e * e + e * e + e) + products + m * m + m;
    tallies[Category::kSubscript2d] = products * 3 * e * e * e;
    // The ends of the three inner loops, computed at each of their tests.
    tallies[Category::kIntegerArithmetic] = products * (e * e * (e + 1) + e * (e + 1) + (e + 1));
  }
  return tallies;
}

}  // namespace

Kernel matmul_blocked_kernel() {
  return {.name = "matmul_blocked",
          .title = "matrix product by blocks of 32 x 32 doubles",
          .size_unit = "rows",
          .default_size = 96,
          .minimum_size = kEdge,
          .maximum_size = 16'384,
          .size_multiple = kEdge,
          .make = make_instance<BlockedInstance>,
          .expected = expected};
}

}  // namespace bops::workloads

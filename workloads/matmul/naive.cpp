// The matrix product as it is defined: three loops, the innermost over a row of A and a column of
// B.
#include "workloads/make_instance.hpp"
#include "workloads/matmul/matmul_instance.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void matmul_pointers(Pointer<L, double> a, Pointer<L, double> b,
                                       Pointer<L, double> c, Pointer<L, double> c_end, Index<L> n) {
  Pointer<L, double> row_of_a = a;
  for (LoopPointer<L, double> row_of_c = c; row_of_c < c_end; row_of_c += n) {
    const Pointer<L, double> row_end = row_of_c + n;
    Pointer<L, double> column = b;
    for (LoopPointer<L, double> entry = row_of_c; entry < row_end; ++entry) {
      Value<L, double> sum = *entry;
      Pointer<L, double> down = column;
      const Pointer<L, double> across_end = row_of_a + n;
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
[[gnu::noinline]] void matmul_indices(Rows<L, double> a, Rows<L, double> b, Rows<L, double> c,
                                      Index<L> n) {
  for (LoopIndex<L> i = 0; i < n; ++i)
    for (LoopIndex<L> j = 0; j < n; ++j)
      for (LoopIndex<L> k = 0; k < n; ++k) c[i][j] += a[i][k] * b[k][j];
}

}  // namespace kernels

namespace {

struct Matmul {
  template <class L>
  static void multiply_pointers(Pointer<L, double> a, Pointer<L, double> b, Pointer<L, double> c,
                                Pointer<L, double> c_end, std::int64_t n) {
    kernels::matmul_pointers<L>(a, b, c, c_end, n);
  }
  template <class L>
  static void multiply_indices(Rows<L, double> a, Rows<L, double> b, Rows<L, double> c,
                               std::int64_t n) {
    kernels::matmul_indices<L>(a, b, c, n);
  }
};

template <class L, Style kStyle>
using NaiveInstance = MatmulInstance<L, kStyle, Matmul>;

Tallies expected(Style style, std::int64_t size) {
  const auto n = static_cast<std::uint64_t>(size);
  Tallies tallies;
  tallies[Category::kFloatingPoint] = 2 * n * n * n;
  tallies[Category::kLoopCompare] = n * n * (n + 1) + n * (n + 1) + (n + 1);
  if (style == Style::kPointer) {
    // Per inner step 2; per entry its own step, the end of the row of A and the next column; per
    // row the end of the row, and the next rows of A and C.
    tallies[Category::kPointerStep] = 2 * n * n * n + 3 * n * n + 3 * n;
  } else {
    tallies[Category::kLoopStep] = n * n * n + n * n + n;
    tallies[Category::kSubscript2d] = 3 * n * n * n;
  }
  return tallies;
}

}  // namespace

Kernel matmul_kernel() {
  return {.name = "matmul",
          .title = "matrix product, three plain loops over doubles",
          .size_unit = "rows",
          .default_size = 96,
          .maximum_size = 16'384,
          .make = make_instance<NaiveInstance>,
          .expected = expected};
}

}  // namespace bops::workloads

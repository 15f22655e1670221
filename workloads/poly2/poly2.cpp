// A polynomial of two variables, (x^2 + y^2)(x - y), at each pair of elements: more arithmetic than
// data, in registers.
#include "workloads/inputs.hpp"
#include "workloads/make_instance.hpp"
#include "workloads/storage.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void poly2_pointers(Pointer<L, double> x, Pointer<L, double> y,
                                      Pointer<L, double> out, Pointer<L, double> end) {
  for (LoopPointer<L, double> next = x; next < end; ++next) {
    const Value<L, double> a = *next;
    const Value<L, double> b = *y;
    *out = (a * a + b * b) * (a - b);
    ++y;
    ++out;
  }
}

template <class L>
[[gnu::noinline]] void poly2_indices(Array<L, double> x, Array<L, double> y, Array<L, double> out,
                                     Index<L> size) {
  for (LoopIndex<L> i = 0; i < size; ++i) {
    const Value<L, double> a = x[i];
    const Value<L, double> b = y[i];
    out[i] = (a * a + b * b) * (a - b);
  }
}

}  // namespace kernels

namespace {

template <class L, Style kStyle>
class Poly2Instance final : public Instance {
 public:
  explicit Poly2Instance(const Problem& problem)
      : x_(make_reals(problem.size, problem.seed)),
        y_(make_reals(problem.size, problem.seed + 1)),
        out_(problem.size),
        size_(problem.size) {}

  void restore() override { out_.fill(0.0); }

  void run() override {
    if constexpr (kStyle == Style::kPointer)
      kernels::poly2_pointers<L>(x_.pointer(), y_.pointer(), out_.pointer(), x_.end());
    else
      kernels::poly2_indices<L>(x_.array(), y_.array(), out_.array(), size_);
  }

  /// Against another arrangement of the same product. The difference x - y is taken alike, because
  /// it cancels.
  [[nodiscard]] bool check() const override {
    for (std::size_t i = 0; i < out_.size(); ++i) {
      const double x = x_.at(i);
      const double y = y_.at(i);
      const double expected = ((x + y) * (x + y) - 2 * (x * y)) * (x - y);
      if (!nearly_equal(expected, out_.at(i))) return false;
    }
    return true;
  }

  [[nodiscard]] ResultMemory result() override { return out_.memory(); }

 private:
  Storage<L, double> x_;
  Storage<L, double> y_;
  Storage<L, double> out_;
  std::int64_t size_;
};

Tallies expected(Style style, std::int64_t size) {
  const auto n = static_cast<std::uint64_t>(size);
  Tallies tallies;
  tallies[Category::kFloatingPoint] = 5 * n;
  tallies[Category::kLoopCompare] = n + 1;
  if (style == Style::kPointer) {
    tallies[Category::kPointerStep] = 3 * n;
  } else {
    tallies[Category::kLoopStep] = n;
    tallies[Category::kSubscript1d] = 3 * n;
  }
  return tallies;
}

}  // namespace

Kernel poly2_kernel() {
  return {.name = "poly2",
          .title = "polynomial of two variables over doubles",
          .size_unit = "elements",
          .default_size = 100'000,
          .maximum_size = 1'000'000'000,
          .make = make_instance<Poly2Instance>,
          .expected = expected};
}

}  // namespace bops::workloads

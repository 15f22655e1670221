// The dot product of two vectors of doubles.
#include "workloads/inputs.hpp"
#include "workloads/make_instance.hpp"
#include "workloads/storage.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void dot_pointers(Pointer<L, double> product, Pointer<L, double> a,
                                    Pointer<L, double> b, Pointer<L, double> end) {
  Value<L, double> sum = 0.0;
  for (LoopPointer<L, double> left = a; left < end; ++left) {
    sum += *left * *b;
    ++b;
  }
  *product = sum;
}

template <class L>
[[gnu::noinline]] void dot_indices(Array<L, double> product, Array<L, double> a, Array<L, double> b,
                                   Index<L> size) {
  Value<L, double> sum = 0.0;
  for (LoopIndex<L> i = 0; i < size; ++i) sum += a[i] * b[i];
  product[0] = sum;
}

}  // namespace kernels

namespace {

template <class L, Style kStyle>
class DotInstance final : public Instance {
 public:
  explicit DotInstance(const Problem& problem)
      : a_(make_reals(problem.size, problem.seed)),
        b_(make_reals(problem.size, problem.seed + 1)),
        size_(problem.size) {}

  void restore() override { product_.fill(0.0); }

  void run() override {
    if constexpr (kStyle == Style::kPointer)
      kernels::dot_pointers<L>(product_.pointer(), a_.pointer(), b_.pointer(), a_.end());
    else
      kernels::dot_indices<L>(product_.array(), a_.array(), b_.array(), size_);
  }

  /// From the last element to the first, which rounds differently.
  [[nodiscard]] bool check() const override {
    double sum = 0.0;
    for (std::size_t i = a_.size(); i > 0; --i) sum += b_.at(i - 1) * a_.at(i - 1);
    return nearly_equal(sum, product_.at(0));
  }

  [[nodiscard]] ResultMemory result() override { return product_.memory(); }

 private:
  Storage<L, double> a_;
  Storage<L, double> b_;
  Storage<L, double> product_{1};
  std::int64_t size_;
};

Tallies expected(Style style, std::int64_t size) {
  const auto n = static_cast<std::uint64_t>(size);
  Tallies tallies;
  tallies[Category::kFloatingPoint] = 2 * n;
  tallies[Category::kLoopCompare] = n + 1;
  if (style == Style::kPointer) {
    tallies[Category::kPointerStep] = 2 * n;
  } else {
    tallies[Category::kLoopStep] = n;
    tallies[Category::kSubscript1d] = 2 * n + 1;
  }
  return tallies;
}

}  // namespace

Kernel dot_kernel() {
  return {.name = "dot",
          .title = "dot product of doubles",
          .size_unit = "elements",
          .default_size = 100'000,
          .maximum_size = 1'000'000'000,
          .make = make_instance<DotInstance>,
          .expected = expected};
}

}  // namespace bops::workloads

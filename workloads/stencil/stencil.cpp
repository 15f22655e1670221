// A stencil of three points: each inner element becomes the weighted sum of itself and its
// neighbours.
#include "workloads/inputs.hpp"
#include "workloads/make_instance.hpp"
#include "workloads/storage.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void stencil_pointers(Pointer<L, double> out, Pointer<L, double> left,
                                        Value<L, double> weight, Pointer<L, double> end) {
  Pointer<L, double> middle = left + 1;
  for (LoopPointer<L, double> right = left + 2; right < end; ++right) {
    *out = weight * (*left + *middle + *right);
    ++left;
    ++middle;
    ++out;
  }
}

template <class L>
[[gnu::noinline]] void stencil_indices(Array<L, double> out, Array<L, double> in,
                                       Value<L, double> weight, Index<L> size) {
  for (LoopIndex<L> i = 2; i < size; ++i) out[i - 2] = weight * (in[i - 2] + in[i - 1] + in[i]);
}

}  // namespace kernels

namespace {

template <class L, Style kStyle>
class StencilInstance final : public Instance {
 public:
  explicit StencilInstance(const Problem& problem)
      : in_(make_reals(problem.size, problem.seed)), out_(problem.size - 2), size_(problem.size) {}

  void restore() override { out_.fill(0.0); }

  void run() override {
    if constexpr (kStyle == Style::kPointer)
      kernels::stencil_pointers<L>(out_.pointer(), in_.pointer(), weight_, in_.end());
    else
      kernels::stencil_indices<L>(out_.array(), in_.array(), weight_, size_);
  }

  [[nodiscard]] bool check() const override {
    for (std::size_t i = 0; i < out_.size(); ++i) {
      const double sum = weight_ * in_.at(i + 2) + weight_ * in_.at(i + 1) + weight_ * in_.at(i);
      if (!nearly_equal(sum, out_.at(i))) return false;
    }
    return true;
  }

  [[nodiscard]] ResultMemory result() override { return out_.memory(); }

 private:
  Storage<L, double> in_;
  Storage<L, double> out_;
  std::int64_t size_;
  double weight_ = 0.3;
};

Tallies expected(Style style, std::int64_t size) {
  const std::uint64_t n = static_cast<std::uint64_t>(size) - 2;
  Tallies tallies;
  tallies[Category::kFloatingPoint] = 3 * n;
  tallies[Category::kLoopCompare] = n + 1;
  if (style == Style::kPointer) {
    tallies[Category::kPointerStep] = 4 * n + 2;
  } else {
    tallies[Category::kLoopStep] = n;
    tallies[Category::kSubscript1d] = 4 * n;
    tallies[Category::kIntegerArithmetic] = 3 * n;
  }
  return tallies;
}

}  // namespace

Kernel stencil_kernel() {
  return {.name = "stencil",
          .title = "stencil of three points over doubles",
          .size_unit = "elements",
          .default_size = 100'000,
          .minimum_size = 3,
          .maximum_size = 1'000'000'000,
          .make = make_instance<StencilInstance>,
          .expected = expected};
}

}  // namespace bops::workloads

// The four vector operations of the STREAM benchmark (J. D. McCalpin), once each per run, with its
// start values and its kind of verification.
#include <cmath>

#include "workloads/make_instance.hpp"
#include "workloads/storage.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void stream_copy_pointers(Pointer<L, double> c, Pointer<L, double> a,
                                            Pointer<L, double> end) {
  for (LoopPointer<L, double> from = a; from < end; ++from) {
    *c = *from;
    ++c;
  }
}

template <class L>
[[gnu::noinline]] void stream_scale_pointers(Pointer<L, double> b, Pointer<L, double> c,
                                             Value<L, double> scalar, Pointer<L, double> end) {
  for (LoopPointer<L, double> from = c; from < end; ++from) {
    *b = scalar * *from;
    ++b;
  }
}

template <class L>
[[gnu::noinline]] void stream_add_pointers(Pointer<L, double> c, Pointer<L, double> a,
                                           Pointer<L, double> b, Pointer<L, double> end) {
  for (LoopPointer<L, double> from = a; from < end; ++from) {
    *c = *from + *b;
    ++b;
    ++c;
  }
}

template <class L>
[[gnu::noinline]] void stream_triad_pointers(Pointer<L, double> a, Pointer<L, double> b,
                                             Pointer<L, double> c, Value<L, double> scalar,
                                             Pointer<L, double> end) {
  for (LoopPointer<L, double> from = b; from < end; ++from) {
    *a = *from + scalar * *c;
    ++c;
    ++a;
  }
}

template <class L>
[[gnu::noinline]] void stream_copy_indices(Array<L, double> c, Array<L, double> a, Index<L> size) {
  for (LoopIndex<L> i = 0; i < size; ++i) c[i] = a[i];
}

template <class L>
[[gnu::noinline]] void stream_scale_indices(Array<L, double> b, Array<L, double> c,
                                            Value<L, double> scalar, Index<L> size) {
  for (LoopIndex<L> i = 0; i < size; ++i) b[i] = scalar * c[i];
}

template <class L>
[[gnu::noinline]] void stream_add_indices(Array<L, double> c, Array<L, double> a,
                                          Array<L, double> b, Index<L> size) {
  for (LoopIndex<L> i = 0; i < size; ++i) c[i] = a[i] + b[i];
}

template <class L>
[[gnu::noinline]] void stream_triad_indices(Array<L, double> a, Array<L, double> b,
                                            Array<L, double> c, Value<L, double> scalar,
                                            Index<L> size) {
  for (LoopIndex<L> i = 0; i < size; ++i) a[i] = b[i] + scalar * c[i];
}

}  // namespace kernels

namespace {

constexpr double kStartA = 2.0;
constexpr double kStartB = 2.0;
constexpr double kStartC = 0.0;
/// STREAM's bound of the mean relative error of an array of doubles.
constexpr double kMeanError = 1e-13;

template <class L, Style kStyle>
class StreamInstance final : public Instance {
 public:
  explicit StreamInstance(const Problem& problem)
      : a_(problem.size), b_(problem.size), c_(problem.size), size_(problem.size) {}

  void restore() override {
    a_.fill(kStartA);
    b_.fill(kStartB);
    c_.fill(kStartC);
  }

  void run() override {
    if constexpr (kStyle == Style::kPointer) {
      kernels::stream_copy_pointers<L>(c_.pointer(), a_.pointer(), a_.end());
      kernels::stream_scale_pointers<L>(b_.pointer(), c_.pointer(), scalar_, c_.end());
      kernels::stream_add_pointers<L>(c_.pointer(), a_.pointer(), b_.pointer(), a_.end());
      kernels::stream_triad_pointers<L>(a_.pointer(), b_.pointer(), c_.pointer(), scalar_,
                                        b_.end());
    } else {
      kernels::stream_copy_indices<L>(c_.array(), a_.array(), size_);
      kernels::stream_scale_indices<L>(b_.array(), c_.array(), scalar_, size_);
      kernels::stream_add_indices<L>(c_.array(), a_.array(), b_.array(), size_);
      kernels::stream_triad_indices<L>(a_.array(), b_.array(), c_.array(), scalar_, size_);
    }
  }

  [[nodiscard]] bool check() const override {
    const double copied = kStartA;
    const double b = scalar_ * copied;
    const double c = kStartA + b;
    const double a = b + scalar_ * c;
    return mean_is(a_, a) && mean_is(b_, b) && mean_is(c_, c);
  }

  [[nodiscard]] ResultMemory result() override { return a_.memory(); }

 private:
  [[nodiscard]] static bool mean_is(const Storage<L, double>& array, double expected) {
    double error = 0.0;
    for (std::size_t i = 0; i < array.size(); ++i) error += std::fabs(array.at(i) - expected);
    return error / static_cast<double>(array.size()) <= kMeanError * expected;
  }

  Storage<L, double> a_;
  Storage<L, double> b_;
  Storage<L, double> c_;
  std::int64_t size_;
  double scalar_ = 3.0;
};

Tallies expected(Style style, std::int64_t size) {
  const auto n = static_cast<std::uint64_t>(size);
  Tallies tallies;
  tallies[Category::kFloatingPoint] = 4 * n;
  tallies[Category::kLoopCompare] = 4 * (n + 1);
  if (style == Style::kPointer) {
    tallies[Category::kPointerStep] = 10 * n;
  } else {
    tallies[Category::kLoopStep] = 4 * n;
    tallies[Category::kSubscript1d] = 10 * n;
  }
  return tallies;
}

}  // namespace

Kernel stream_kernel() {
  return {.name = "stream",
          .title = "STREAM: copy, scale, add, triad over doubles",
          .size_unit = "elements",
          .default_size = 100'000,
          .maximum_size = 1'000'000'000,
          .make = make_instance<StreamInstance>,
          .expected = expected};
}

}  // namespace bops::workloads

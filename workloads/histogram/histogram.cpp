// How often each value of the low bits occurs among the keys.
#include "workloads/inputs.hpp"
#include "workloads/make_instance.hpp"
#include "workloads/storage.hpp"

namespace bops::workloads {
namespace kernels {

template <class L>
[[gnu::noinline]] void histogram_pointers(Pointer<L, int> bins, Pointer<L, int> keys,
                                          Value<L, int> mask, Pointer<L, int> end) {
  for (LoopPointer<L, int> key = keys; key < end; ++key) {
    const Pointer<L, int> bin = bins + (*key & mask);
    *bin = *bin + 1;
  }
}

template <class L>
[[gnu::noinline]] void histogram_indices(Array<L, int> bins, Array<L, int> keys, Value<L, int> mask,
                                         Index<L> size) {
  for (LoopIndex<L> i = 0; i < size; ++i) bins[keys[i] & mask] += 1;
}

}  // namespace kernels

namespace {

constexpr std::int64_t kBins = 256;

template <class L, Style kStyle>
class HistogramInstance final : public Instance {
 public:
  explicit HistogramInstance(const Problem& problem)
      : keys_(make_keys(problem)), size_(problem.size) {}

  void restore() override { bins_.fill(0); }

  void run() override {
    if constexpr (kStyle == Style::kPointer)
      kernels::histogram_pointers<L>(bins_.pointer(), keys_.pointer(), mask_, keys_.end());
    else
      kernels::histogram_indices<L>(bins_.array(), keys_.array(), mask_, size_);
  }

  [[nodiscard]] bool check() const override {
    std::vector<int> left(static_cast<std::size_t>(kBins));
    for (std::size_t bin = 0; bin < left.size(); ++bin) left[bin] = bins_.at(bin);
    for (std::size_t i = 0; i < keys_.size(); ++i)
      --left[static_cast<std::size_t>(keys_.at(i)) % left.size()];
    for (const int count : left)
      if (count != 0) return false;
    return true;
  }

  [[nodiscard]] ResultMemory result() override { return bins_.memory(); }

 private:
  Storage<L, int> keys_;
  Storage<L, int> bins_{kBins};
  std::int64_t size_;
  int mask_ = static_cast<int>(kBins) - 1;
};

Tallies expected(Style style, std::int64_t size) {
  const auto n = static_cast<std::uint64_t>(size);
  Tallies tallies;
  tallies[Category::kLoopCompare] = n + 1;
  tallies[Category::kLogic] = n;
  tallies[Category::kIntegerArithmetic] = n;
  if (style == Style::kPointer) {
    tallies[Category::kPointerStep] = 2 * n;
  } else {
    tallies[Category::kLoopStep] = n;
    tallies[Category::kSubscript1d] = 2 * n;
  }
  return tallies;
}

}  // namespace

Kernel histogram_kernel() {
  return {.name = "histogram",
          .title = "histogram of keys in 256 bins",
          .size_unit = "keys",
          .default_size = 100'000,
          .maximum_size = 1'000'000'000,
          .maximum_skewed_size = 1'000'000'000,
          .make = make_instance<HistogramInstance>,
          .expected = expected};
}

}  // namespace bops::workloads

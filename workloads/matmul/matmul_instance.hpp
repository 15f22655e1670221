// What both matrix products share: C = A B in doubles, all n x n.
#pragma once

#include <vector>

#include "workloads/inputs.hpp"
#include "workloads/kernel.hpp"
#include "workloads/storage.hpp"

namespace bops::workloads {

/// `Algorithm` has multiply_pointers<L>(a, b, c, c_end, n) and multiply_indices<L>(a, b, c, n); C
/// starts as 0.
template <class L, Style kStyle, class Algorithm>
class MatmulInstance final : public Instance {
 public:
  explicit MatmulInstance(const Problem& problem)
      : n_(problem.size),
        a_(make_reals(n_ * n_, problem.seed)),
        b_(make_reals(n_ * n_, problem.seed + 1)),
        c_(n_ * n_),
        rows_of_a_(rows_of(a_)),
        rows_of_b_(rows_of(b_)),
        rows_of_c_(rows_of(c_)) {}

  void restore() override { c_.fill(0.0); }

  void run() override {
    if constexpr (kStyle == Style::kPointer)
      Algorithm::template multiply_pointers<L>(a_.pointer(), b_.pointer(), c_.pointer(), c_.end(),
                                               n_);
    else
      Algorithm::template multiply_indices<L>(rows_of_a_.data(), rows_of_b_.data(),
                                              rows_of_c_.data(), n_);
  }

  /// C x = A (B x), row by row, for an x without zeros: a wrong entry of C shows in its row.
  [[nodiscard]] bool check() const override {
    const std::vector<double> x = make_reals(n_, 1);
    const std::vector<double> expected = product(a_, product(b_, x));
    const std::vector<double> found = product(c_, x);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!nearly_equal(expected[i], found[i])) return false;
    return true;
  }

  [[nodiscard]] ResultMemory result() override { return c_.memory(); }

 private:
  [[nodiscard]] std::vector<Value<L, double>*> rows_of(Storage<L, double>& matrix) const {
    std::vector<Value<L, double>*> rows;
    for (std::int64_t i = 0; i < n_; ++i) rows.push_back(matrix.data() + i * n_);
    return rows;
  }
  [[nodiscard]] static std::vector<double> product(const Storage<L, double>& matrix,
                                                   const std::vector<double>& x) {
    std::vector<double> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      for (std::size_t j = 0; j < x.size(); ++j) y[i] += matrix.at(i * x.size() + j) * x[j];
    return y;
  }

  std::int64_t n_;
  Storage<L, double> a_;
  Storage<L, double> b_;
  Storage<L, double> c_;
  std::vector<Value<L, double>*> rows_of_a_;
  std::vector<Value<L, double>*> rows_of_b_;
  std::vector<Value<L, double>*> rows_of_c_;
};

}  // namespace bops::workloads

// What all sorting kernels share: keys in, sorted keys out, none lost.
#pragma once

#include <vector>

#include "workloads/inputs.hpp"
#include "workloads/kernel.hpp"
#include "workloads/storage.hpp"

namespace bops::workloads {

/// `Algorithm` has sort_pointers<L>(first, end, size) and sort_indices<L>(array, size), and says
/// how far before the first key its pointers may step: guard(size).
template <class L, Style kStyle, class Algorithm>
class SortInstance final : public Instance {
 public:
  explicit SortInstance(const Problem& problem)
      : input_(make_keys(problem)),
        keys_(input_, Algorithm::guard(problem.size)),
        size_(problem.size) {}

  void restore() override { keys_.assign(input_); }

  void run() override {
    if constexpr (kStyle == Style::kPointer)
      Algorithm::template sort_pointers<L>(keys_.pointer(), keys_.end(), size_);
    else
      Algorithm::template sort_indices<L>(keys_.array(), size_);
  }

  [[nodiscard]] bool check() const override {
    KeyMultiset before;
    KeyMultiset after;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (i > 0 && keys_.at(i - 1) > keys_.at(i)) return false;
      before.add(input_[i]);
      after.add(keys_.at(i));
    }
    return before == after;
  }

  [[nodiscard]] ResultMemory result() override { return keys_.memory(); }

 private:
  std::vector<int> input_;
  Storage<L, int> keys_;
  std::int64_t size_;
};

}  // namespace bops::workloads

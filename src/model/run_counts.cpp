#include "model/run_counts.hpp"

namespace bops {
namespace {

template <class Part>
void add(std::optional<Part>& sum, const std::optional<Part>& other) {
  if (sum && other)
    *sum += *other;
  else
    sum.reset();
}

template <class Part>
void subtract(std::optional<Part>& sum, const std::optional<Part>& other) {
  if (sum && other)
    *sum -= *other;
  else
    sum.reset();
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  instructions += other.instructions;
  add(operations, other.operations);
  add(classes, other.classes);
  return *this;
}

Counts& Counts::operator-=(const Counts& other) {
  instructions -= other.instructions;
  subtract(operations, other.operations);
  subtract(classes, other.classes);
  return *this;
}

Counts RunCounts::totals() const {
  Counts sum = Counts::exact_zero();
  for (const ThreadCounts& thread : threads) sum += thread.counts;
  return sum;
}

Work RunCounts::total_work() const {
  Work sum;
  for (const ThreadCounts& thread : threads) add_work(sum, thread.work);
  return sum;
}

void add_work(Work& sum, const Work& other) {
  for (const auto& [unit, amount] : other) sum[unit] += amount;
}

}  // namespace bops

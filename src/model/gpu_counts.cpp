#include "model/gpu_counts.hpp"

namespace bops {
namespace {

template <class Part>
void add_part(std::optional<Part>& sum, const std::optional<Part>& other) {
  if (sum && other)
    *sum += *other;
  else
    sum.reset();  // a sum without a part of it would be a silent 0
}

/// Kinds that either side lacks were not measured in all of the sum.
void add_amounts(GpuAmounts& sum, const GpuAmounts& other) {
  for (auto amount = sum.begin(); amount != sum.end();) {
    const auto more = other.find(amount->first);
    if (more == other.end()) {
      amount = sum.erase(amount);
    } else {
      amount->second += more->second;
      ++amount;
    }
  }
}

template <class Part>
void subtract_part(std::optional<Part>& now, const std::optional<Part>& before) {
  if (now && before) *now -= *before;
}

void subtract_amounts(GpuAmounts& now, const GpuAmounts& before) {
  for (auto& [kind, amount] : now)
    if (const auto earlier = before.find(kind); earlier != before.end()) amount -= earlier->second;
}

}  // namespace

GpuFormulaCounts& GpuFormulaCounts::operator-=(const GpuFormulaCounts& other) {
  instructions -= other.instructions;
  subtract_part(loads, other.loads);
  subtract_part(stores, other.stores);
  loads_and_stores -= other.loads_and_stores;
  branches -= other.branches;
  return *this;
}

GpuCounts& GpuCounts::operator-=(const GpuCounts& other) {
  subtract_part(warp, other.warp);
  subtract_part(thread, other.thread);
  subtract_amounts(operations, other.operations);
  subtract_amounts(instructions, other.instructions);
  subtract_amounts(tensor_instructions, other.tensor_instructions);
  subtract_amounts(tensor_operations, other.tensor_operations);
  subtract_amounts(beside, other.beside);
  subtract_part(duration_ns, other.duration_ns);
  return *this;
}

GpuFormulaCounts& GpuFormulaCounts::operator+=(const GpuFormulaCounts& other) {
  instructions += other.instructions;
  add_part(loads, other.loads);
  add_part(stores, other.stores);
  loads_and_stores += other.loads_and_stores;
  branches += other.branches;
  return *this;
}

GpuCounts& GpuCounts::operator+=(const GpuCounts& other) {
  add_part(warp, other.warp);
  add_part(thread, other.thread);
  add_amounts(operations, other.operations);
  add_amounts(instructions, other.instructions);
  add_amounts(tensor_instructions, other.tensor_instructions);
  add_amounts(tensor_operations, other.tensor_operations);
  add_amounts(beside, other.beside);
  add_part(duration_ns, other.duration_ns);
  return *this;
}

}  // namespace bops

#include "model/operations_estimate.hpp"

#include <algorithm>

namespace bops {

OperationsEstimate& operator+=(OperationsEstimate& sum, const OperationsEstimate& other) {
  sum.further_runs += other.further_runs;
  sum.operations_estimate += other.operations_estimate;
  for (const EstimatedShare& share : other.events) {
    const auto same = std::find_if(sum.events.begin(), sum.events.end(), [&](const auto& each) {
      return each.event == share.event && each.operations_each == share.operations_each;
    });
    if (same == sum.events.end()) {
      sum.events.push_back(share);
      continue;
    }
    same->count += share.count;
    same->operations += share.operations;
  }
  return sum;
}

}  // namespace bops

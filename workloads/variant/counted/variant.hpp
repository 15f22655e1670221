// Both styles, counting their operations.
#pragma once

#include "workloads/counted.hpp"

namespace bops::workloads {

struct Variant {
  using Language = Counting;
  static constexpr bool kHasPointers = true;
  static constexpr bool kHasIndices = true;
};

}  // namespace bops::workloads

// Ordinary code: a[i].
#pragma once

#include "workloads/plain.hpp"

namespace bops::workloads {

struct Variant {
  using Language = Plain;
  static constexpr bool kHasPointers = false;
  static constexpr bool kHasIndices = true;
};

}  // namespace bops::workloads

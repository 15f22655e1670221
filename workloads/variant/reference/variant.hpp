// One instruction is one operation: pointers over volatile data.
#pragma once

#include "workloads/plain.hpp"

namespace bops::workloads {

struct Variant {
  using Language = PlainVolatile;
  static constexpr bool kHasPointers = true;
  static constexpr bool kHasIndices = false;
};

}  // namespace bops::workloads

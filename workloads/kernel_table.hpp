// All kernels, in the order of workloads/CMakeLists.txt.
#pragma once

#include <vector>

#include "workloads/kernel.hpp"

namespace bops::workloads {

[[nodiscard]] std::vector<Kernel> kernel_table();

}  // namespace bops::workloads

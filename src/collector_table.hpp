// The collectors of this build. CMake writes the table from the bops_collector() calls.
#pragma once

#include <memory>
#include <vector>

#include "model/collector.hpp"

namespace bops {

[[nodiscard]] std::vector<std::unique_ptr<Collector>> make_collectors();

}  // namespace bops

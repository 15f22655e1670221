// From the contexts of threads to regions: a context counts for itself and for all around it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/run_counts.hpp"

namespace bops {

/// A path of nested names of one thread, as whoever counts regions keeps them (block_profile.h,
/// region_area.h).
struct RegionContext {
  std::size_t thread = 0;  ///< index into the threads
  /// Index of the context around it, which stands before it; none: no region is around it.
  std::optional<std::size_t> parent{};
  std::string name;  ///< the innermost of the path
  std::uint64_t entries = 0;
  Counts counts;  ///< in it alone, or with what is nested in it
  Work work{};
  bool counted = true;  ///< false: `counts` are nothing
};

/// Adds each context to those around it.
void include_nested(std::vector<RegionContext>& contexts);

/// A row for each name of each thread, in the order of their first contexts. Nested contexts must
/// be included already.
[[nodiscard]] std::vector<RegionCounts> regions_of(std::span<const RegionContext> contexts,
                                                   std::span<const ThreadCounts> threads);

}  // namespace bops

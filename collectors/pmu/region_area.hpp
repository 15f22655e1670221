// The memory in which a thread of the target keeps its regions (region_area.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/region/region_area.h"
#include "model/error.hpp"
#include "platform/unique_fd.hpp"

namespace bops::pmu {

/// What a thread says of its regions. Nothing in it is to be believed but that the indices are
/// sound.
struct RegionState {
  struct Context {
    std::optional<std::size_t> parent;  ///< stands before it
    std::string name;
    std::uint64_t entries = 0;
    bops_region_values counted{};  ///< in it alone
  };
  struct Work {
    std::optional<std::size_t> context;  ///< none: outside of all regions
    std::string unit;
    std::uint64_t amount = 0;
  };
  std::vector<Context> contexts;
  std::vector<Work> work;
  std::vector<std::size_t> open;  ///< contexts, outermost first
  bops_region_values last{};      ///< what comes after belongs to the innermost that is open
  std::uint64_t sequence = 0;     ///< the same number later: nothing has changed
  bool taken = false;             ///< the thread has the area
  bool lost = false;              ///< the thread could not read its counters
  bool refused = false;           ///< there was no room for all regions
};

class RegionArea {
 public:
  /// For a thread with groups of so many words; none: only entries and work are kept. It starts in
  /// the regions that are open in `inherited`.
  [[nodiscard]] static Result<std::unique_ptr<RegionArea>> create(
      pid_t tid, const std::vector<std::uint32_t>& words, const RegionState& inherited);
  RegionArea(const RegionArea&) = delete;
  RegionArea& operator=(const RegionArea&) = delete;
  ~RegionArea();

  [[nodiscard]] int descriptor() const { return file_.get(); }
  /// While the thread goes on, too: a state that it has passed through. Nothing if the target has
  /// written what no thread writes.
  [[nodiscard]] std::optional<RegionState> read() const;
  void end(bops_region_end how);

 private:
  RegionArea(UniqueFd file, bops_region_area* area) : file_(std::move(file)), area_(area) {}

  UniqueFd file_;
  bops_region_area* area_;
};

/// Those of the state's contexts that are open, begun 0 times so far and with nothing counted: what
/// a child of fork(2) is in.
[[nodiscard]] RegionState only_open(const RegionState& state);

}  // namespace bops::pmu

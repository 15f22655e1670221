// What the launcher asks of the library inside the target.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bops::cuda::injection {

struct Plan {
  bool profile = false;  ///< each kernel for itself, else ranges of many
  std::uint64_t interval_ms = 1000;
  std::uint64_t ranges = 512;
  std::uint64_t most_passes = 1;  ///< 0: any number
  std::string cupti;
  std::string output;
  std::string images;  ///< directory for counter data images, for tests without a GPU; or empty
  struct Chip {
    std::string name;
    std::vector<std::string> metrics;
  };
  std::vector<Chip> chips;

  [[nodiscard]] const Chip* find_chip(std::string_view name) const;
};

/// Reads the plan; false if there is none or it is not one of ours.
[[nodiscard]] bool read_plan(const char* path, Plan& plan);

}  // namespace bops::cuda::injection

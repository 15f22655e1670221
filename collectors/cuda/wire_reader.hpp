// Reads what the library inside the targets wrote (wire.hpp): bytes from outside.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/error.hpp"
#include "model/gpu_counts.hpp"

namespace bops::cuda {

/// One process's file. `counts` and `launches` name contexts that are among `contexts`.
struct WireFile {
  struct Context {
    std::uint32_t id = 0;
    std::uint32_t device = 0;
    std::string name;
    std::string chip;
    std::string uuid;
    std::uint64_t passes = 0;
    std::vector<std::string> metrics;
    std::uint64_t launches = 0;  ///< of the last record that says
    std::uint64_t dropped = 0;
  };
  struct Counts {
    std::uint32_t context = 0;
    std::uint64_t launches = 0;
    std::array<std::uint32_t, 3> grid{};
    std::array<std::uint32_t, 3> block{};
    std::string kernel;
    std::string ranges;
    std::uint32_t graph = 0;     ///< one of `graphs`; 0: none, or not known
    std::vector<double> values;  ///< as many as the context has metrics
  };
  struct Problem {
    std::uint32_t context = 0;
    std::int32_t code = 0;
    std::string call;
    std::string name;
    std::string more;
  };

  pid_t pid = 0;
  pid_t ppid = 0;
  std::uint64_t start_mono_ns = 0;
  std::string executable;
  std::vector<Context> contexts;
  std::vector<Counts> counts;
  std::vector<Problem> problems;
  std::map<std::uint32_t, GpuAmounts> graphs;  ///< kernels of graphs, and how often each is in it
  bool ended = false;                          ///< the process flushed all it had
  bool cut_short = false;                      ///< the file ends within a record
  std::uint64_t malformed = 0;                 ///< records that were passed over

  [[nodiscard]] const Context* find_context(std::uint32_t id) const;
};

/// Fails for what is no such file at all; anything else in it that is wrong is counted.
[[nodiscard]] Result<WireFile> read_wire(std::string_view bytes);

}  // namespace bops::cuda

// The range profiler of one CUDA context: set up at its first launch, read out again and again.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collectors/cuda/injection/cupti_api.hpp"
#include "collectors/cuda/injection/plan.hpp"
#include "collectors/cuda/injection/wire_writer.hpp"

namespace bops::cuda::injection {

/// What a graph is called: one launch of many kernels.
inline constexpr const char* kGraph = "[graph]";

/// What is launched, and within which NVTX ranges of its thread.
struct Launch {
  std::string kernel;
  std::string ranges;
  std::array<std::uint32_t, 3> grid{};
  std::array<std::uint32_t, 3> block{};
  std::uint32_t graph = 0;  ///< of a graph: id of what is in it; 0: not known
  friend bool operator<(const Launch& a, const Launch& b) {
    if (a.kernel != b.kernel) return a.kernel < b.kernel;
    if (a.ranges != b.ranges) return a.ranges < b.ranges;
    if (a.grid != b.grid) return a.grid < b.grid;
    if (a.block != b.block) return a.block < b.block;
    return a.graph < b.graph;
  }
};

/// Not for several threads at once. Whatever CUPTI refuses becomes a record, and the session then
/// counts nothing more.
class ContextSession {
 public:
  ContextSession(const CuptiApi& api, const Plan& plan, WireWriter& wire, CUcontext context,
                 std::uint32_t id)
      : api_(api), plan_(plan), wire_(wire), context_(context), id_(id) {}
  ContextSession(const ContextSession&) = delete;
  ContextSession& operator=(const ContextSession&) = delete;

  /// Before a launch, with the context current: starts counting if this is the first.
  void before_launch(Launch launch);
  /// After it; `launched` is whether the driver took it.
  void after_launch(bool launched);
  /// Fetches what was counted if the interval is over; the GPU is waited for.
  void harvest_if_due();
  /// Fetches what was counted, so that the ranges that follow are a graph's alone.
  void harvest_before_graph();
  /// Fetches all and stops for good.
  void close();

 private:
  [[nodiscard]] bool open();
  [[nodiscard]] bool configure(const Plan::Chip& chip, std::vector<std::uint8_t>& availability);
  [[nodiscard]] bool make_image();
  [[nodiscard]] bool start();
  [[nodiscard]] bool fetch();
  void harvest();
  [[nodiscard]] bool write_counts(std::size_t ranges, std::size_t dropped);
  void write_launches();
  /// Whether all that was launched since the last fetch is a graph.
  [[nodiscard]] bool is_one_graph() const {
    return pending_.size() == 1 && pending_.front().kernel == kGraph;
  }
  void keep_image(const std::vector<double>& values) const;
  /// True if the call was a success; else it is told, and the session is over.
  [[nodiscard]] bool good(CUptiResult result, const char* call);
  void tell(int code, const char* call, const std::string& more);

  enum class State : std::uint8_t { kNew, kCounting, kOver };

  const CuptiApi& api_;
  const Plan& plan_;
  WireWriter& wire_;
  CUcontext context_;
  std::uint32_t id_;
  State state_ = State::kNew;
  CUpti_Profiler_Host_Object* host_ = nullptr;
  CUpti_RangeProfiler_Object* profiler_ = nullptr;
  std::vector<std::string> metrics_;
  std::vector<const char*> metric_names_;
  std::string chip_;
  std::vector<std::uint8_t> configuration_;
  std::vector<std::uint8_t> image_;
  std::uint64_t last_fetch_ms_ = 0;
  std::vector<Launch> pending_;         ///< profile: since the last fetch
  std::uint64_t pending_launches_ = 0;  ///< meter: likewise
  std::uint64_t launches_ = 0;          ///< since the context began
  std::uint64_t dropped_ = 0;
};

/// Writes one problem: `code` is CUPTI's, 0 if it is none of its.
void write_problem(const CuptiApi& api, WireWriter& wire, std::uint32_t context, int code,
                   const char* call, const std::string& more);

}  // namespace bops::cuda::injection

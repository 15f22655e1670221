// Samples of instruction addresses, taken by the very groups that count (`--sample`).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/pmu/event_table.hpp"
#include "collectors/pmu/perf_group.hpp"
#include "collectors/pmu/sample_buffer.hpp"
#include "collectors/pmu/sampled_code.hpp"
#include "model/sampled_functions.hpp"
#include "platform/unique_fd.hpp"

namespace bops::pmu {

/// Every event of the formula samples in the group that counts it, so that no second group competes
/// for counters, and each thread has a buffer per group. A thread of bops empties those that fill
/// up; the others are emptied when their threads are read, which must be done whenever one has
/// executed a program: what others of its process sample then is of that. Outlives the counters
/// that use it.
class Sampler {
 public:
  /// Refuses events that take turns on the counters: their samples would be of parts of the time.
  [[nodiscard]] static Result<std::unique_ptr<Sampler>> create(const std::vector<EventSet>& sets,
                                                               std::uint64_t period,
                                                               bool with_kernel);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// How the groups of a set are to be opened.
  [[nodiscard]] const SampleManner& manner_of(std::size_t set) const { return manners_.at(set); }

  /// The samples of one group of one thread; the destructor takes what is left of them.
  class Watch {
   public:
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    /// `lost_so_far`: PerfGroup::Values::lost_samples as just read.
    void drain(std::uint64_t lost_so_far);

   private:
    friend class Sampler;
    Watch(Sampler& sampler, int leader, SampleBuffer buffer)
        : sampler_(sampler), leader_(leader), buffer_(std::move(buffer)) {}
    Sampler& sampler_;
    int leader_;
    SampleBuffer buffer_;
    std::uint64_t lost_ = 0;
    std::vector<std::uint64_t> events_;  ///< their numbers
  };
  /// The group is open and not enabled yet; its thread may run only if it was attached to. Null
  /// where it cannot be sampled: that is told by functions().
  [[nodiscard]] std::unique_ptr<Watch> watch(const PerfGroup& group, const std::vector<Role>& roles,
                                             pid_t tid);

  /// What was sampled so far, with the estimates.
  [[nodiscard]] SampledFunctions functions() const;
  /// Why threads could not be sampled, if so.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  Sampler(std::vector<SampleManner> manners, std::vector<std::string> skidding);
  void keep_draining();
  void drain(Watch& watch);
  void take(std::span<const std::byte> bytes);

  std::vector<SampleManner> manners_;  ///< by event set
  std::vector<std::string> skidding_;
  UniqueFd filling_;  ///< epoll(7): the events whose buffers fill up, and stop_
  UniqueFd stop_;     ///< eventfd(2)
  std::thread drainer_;
  mutable std::mutex mutex_;                                 ///< of all that follows
  std::map<int, Watch*> watches_;                            // by leader
  std::unordered_map<std::uint64_t, std::size_t> event_of_;  ///< 0 to 3, by the event's number
  SampledCode code_;
  std::uint64_t lost_ = 0;
  std::uint64_t threads_without_ = 0;
  std::string refusal_;
};

}  // namespace bops::pmu

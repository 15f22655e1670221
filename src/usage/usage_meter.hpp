// Turns the counts of a run into usage records while it goes on.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/collector.hpp"
#include "model/run_record.hpp"
#include "platform/unique_fd.hpp"
#include "usage/chain_writer.hpp"
#include "usage/cpu_time.hpp"
#include "usage/job_identity.hpp"
#include "usage/meter_readings.hpp"
#include "usage/usage_timeline.hpp"
#include "usage/work_scraper.hpp"

namespace bops {

/// Decoded operations of a run so far, which the collector did not see, by a calibration.
struct DecodedEstimate {
  std::uint64_t operations = 0;
  std::optional<std::int64_t> rel_err_ppm;  ///< absent: the calibration does not fit this run
  UsageDependency calibration;
};
/// Nothing where it cannot be told.
using DecodedEstimator =
    std::function<std::optional<DecodedEstimate>(const CollectorInfo&, const RunCounts&)>;

struct UsageOptions {
  std::string target;                         ///< file, directory or ledger that the records go to
  std::string tenant;                         ///< as declared; empty: find_tenant()
  std::map<std::string, std::string> labels;  ///< become attributes
  std::map<std::string, std::uint64_t> work;  ///< declared by unit, written when the run has ended
  std::string work_from;                      ///< URL of a Prometheus endpoint; empty: none
  std::vector<std::string> second_places;     ///< directories of checkpoints
  std::string key_file;                       ///< empty: the default one
  std::chrono::nanoseconds interval = std::chrono::seconds(60);
  bool by_region = false;       ///< what no tenant's region claims is shared from the start on
  bool strict = false;          ///< no record whose error is not known to be bounded
  DecodedEstimator estimate{};  ///< absent: no calibration
};

class UsageMeter {
 public:
  /// Opens what the records go to, before the target is started.
  [[nodiscard]] static Result<std::unique_ptr<UsageMeter>> open(UsageOptions options);

  UsageMeter(const UsageMeter&) = delete;
  UsageMeter& operator=(const UsageMeter&) = delete;
  ~UsageMeter();  ///< closes the chain of a run that was not started

  /// The target has been started, or (`attached`) these processes were running, of which `target`
  /// is the first; 0 if there are none yet. `info` is null if nothing counts it; `build_id` is that
  /// of the executable, empty if it has none.
  void start(const CollectorInfo* info, pid_t target, const std::string& build_id,
             const VariableLookup& environment, const std::optional<std::vector<pid_t>>& attached);

  /// Readable when the next records are due.
  [[nodiscard]] int timer_fd() const { return timer_.get(); }
  /// Whether records are due, for those who cannot wait for timer_fd().
  [[nodiscard]] bool is_due() const;
  /// Writes the records up to now. Without counts, those of the meters that need none.
  void cut(const RunCounts* counts);
  /// Writes the last records and the closing checkpoint. `cpu_ns` is the CPU time of the whole run,
  /// where it is known. Fails if any record could not be written, or if `strict` kept any back.
  [[nodiscard]] Result<void> finish(const RunCounts* counts, std::optional<std::uint64_t> cpu_ns);
  /// Whether records are made and not written: recover() can write them later.
  [[nodiscard]] bool has_unwritten() const { return !pending_.empty(); }
  /// What is to be known of the records, after finish().
  [[nodiscard]] std::vector<Warning> warnings() const;

  /// What it takes to go on after bops has died, as JSON: for reopen(). It may hold a password.
  [[nodiscard]] nlohmann::json state() const;
  /// Goes on with the records of a run whose bops died. Fails where they are not as they were
  /// written. Null: the run's chain is closed, nothing is missing.
  [[nodiscard]] static Result<std::unique_ptr<UsageMeter>> reopen(const nlohmann::json& state);
  /// After reopen(): where the records end, and the open interval begins.
  [[nodiscard]] UtcNs open_since() const { return open_since_; }
  /// After reopen(): writes what `counts`, of the run up to `end_mono_ns` (CLOCK_MONOTONIC), have
  /// more than the records, and the closing checkpoint. `cpu_ns` is the CPU time of a run that
  /// ended before its bops did; what ended with bops is marked: CPU time and declared work of other
  /// runs, work of an endpoint. How many records were written.
  [[nodiscard]] Result<std::uint64_t> recover(const RunCounts& counts, std::uint64_t end_mono_ns,
                                              std::optional<std::uint64_t> cpu_ns);

 private:
  struct Over {
    std::string subject;
    std::string meter;
    std::int64_t amount;
  };
  UsageMeter(UsageOptions options, std::optional<Tenant> tenant, ChainWriter writer);
  void arm_timer();
  void write(bool final);
  void read_served_work(MeterReadings& readings);
  void read_cpu_time(const RunCounts* counts, std::optional<std::uint64_t> whole,
                     MeterReadings& readings);
  [[nodiscard]] RunReadings readings_of_run(const RunCounts* counts);
  void read_estimate(const RunCounts& counts, MeterReadings& readings);
  /// What tenants were given before, and is no longer claimed for them, is not shared as well.
  [[nodiscard]] MeterReadings without_what_tenants_have(MeterReadings readings) const;
  void make_records(const RunCounts* counts, const MeterReadings& all_readings,
                    const std::vector<TimeSlice>& slices, bool final);
  void cut_at(const RunCounts* counts, std::optional<std::uint64_t> cpu_ns, bool final);
  [[nodiscard]] bool is_unknown(const MeterKey& key) const;
  [[nodiscard]] UsageRecord record_of(const MeterKey& key, const RunCounts* counts) const;
  void set_evidence(UsageRecord& record, const MeterKey& key, const RunCounts* counts) const;
  void set_evidence_of_counts(UsageRecord& record, const MeterKey& key,
                              const RunCounts& counts) const;

  UsageOptions options_;
  std::optional<Tenant> tenant_;
  ChainWriter writer_;
  std::optional<CollectorInfo> info_;
  bool attached_ = false;
  std::vector<pid_t> attached_pids_;  ///< those of them that live
  bool cpu_complete_ = true;
  pid_t target_ = 0;
  nlohmann::json resource_ = nlohmann::json::object();
  UniqueFd timer_;
  std::optional<UsageTimeline> timeline_;
  CpuTimeMeter cpu_;
  std::uint64_t cpu_uncertain_ns_ = 0;         ///< of the last reading
  std::uint64_t cpu_uncertain_before_ns_ = 0;  ///< of the one before
  std::unique_ptr<WorkScraper> scraper_;
  std::string scraping_problem_;
  bool by_tenant_ = false;
  bool tenants_overlap_ = false;
  bool regions_lost_ = false;
  std::set<std::string> not_counted_;  ///< tenants, see RunReadings
  std::set<MeterKey> lost_;            ///< meters that ended with the bops that read them
  std::set<MeterKey> told_unknown_;
  std::vector<Over> over_;
  std::optional<DecodedEstimate> estimate_;
  bool recovered_ = false;
  UtcNs open_since_ = 0;
  Instant started_{};
  MeterReadings written_;             ///< what is in records, pending ones included
  std::vector<UsageRecord> pending_;  ///< not yet written
  std::uint64_t kept_back_ = 0;       ///< records that `strict` did not let pass
  Result<void> last_write_;
};

}  // namespace bops

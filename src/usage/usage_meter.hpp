// Turns the counts of a run into usage records while it goes on.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/run_record.hpp"
#include "platform/unique_fd.hpp"
#include "usage/chain_writer.hpp"
#include "usage/cpu_time.hpp"
#include "usage/job_identity.hpp"
#include "usage/meter_readings.hpp"
#include "usage/usage_timeline.hpp"
#include "usage/work_scraper.hpp"

namespace bops {

struct UsageOptions {
  std::string target;                         ///< file, directory or ledger that the records go to
  std::string tenant;                         ///< as declared; empty: find_tenant()
  std::map<std::string, std::string> labels;  ///< become attributes
  std::map<std::string, std::uint64_t> work;  ///< declared by unit, written when the run has ended
  std::string work_from;                      ///< URL of a Prometheus endpoint; empty: none
  std::vector<std::string> second_places;     ///< directories of checkpoints
  std::string key_file;                       ///< empty: the default one
  std::chrono::nanoseconds interval = std::chrono::seconds(60);
  bool by_region = false;  ///< what no tenant's region claims is shared from the start on
  bool strict = false;     ///< no record whose error is not known to be bounded
};

class UsageMeter {
 public:
  /// Opens what the records go to, before the target is started.
  [[nodiscard]] static Result<std::unique_ptr<UsageMeter>> open(UsageOptions options);

  UsageMeter(const UsageMeter&) = delete;
  UsageMeter& operator=(const UsageMeter&) = delete;
  ~UsageMeter();  ///< closes the chain of a run that was not started

  /// The target has been started, or (`attached`) was running. `info` is null if nothing counts it;
  /// `build_id` is that of the executable, empty if it has none.
  void start(const CollectorInfo* info, pid_t target, const std::string& build_id,
             const VariableLookup& environment, bool attached);

  /// Readable when the next records are due.
  [[nodiscard]] int timer_fd() const { return timer_.get(); }
  /// Whether records are due, for those who cannot wait for timer_fd().
  [[nodiscard]] bool is_due() const;
  /// Writes the records up to now. Without counts, those of the meters that need none.
  void cut(const RunCounts* counts);
  /// Writes the last records and the closing checkpoint. `cpu_ns` is the CPU time of the whole run,
  /// where it is known. Fails if any record could not be written, or if `strict` kept any back.
  [[nodiscard]] Result<void> finish(const RunCounts* counts, std::optional<std::uint64_t> cpu_ns);

 private:
  UsageMeter(UsageOptions options, std::optional<Tenant> tenant, ChainWriter writer);
  void arm_timer();
  void write(bool final);
  void read_served_work(MeterReadings& readings);
  void read_cpu_time(const RunCounts* counts, std::optional<std::uint64_t> whole,
                     MeterReadings& readings);
  void make_records(const RunCounts* counts, const RunReadings& readings);
  void cut_at(const RunCounts* counts, std::optional<std::uint64_t> cpu_ns, bool final);
  [[nodiscard]] UsageRecord record_of(const MeterKey& key, const RunCounts* counts) const;
  void set_evidence(UsageRecord& record, const RunCounts* counts) const;

  UsageOptions options_;
  std::optional<Tenant> tenant_;
  ChainWriter writer_;
  std::optional<CollectorInfo> info_;
  bool attached_ = false;
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
  MeterReadings written_;             ///< what is in records, pending ones included
  std::vector<UsageRecord> pending_;  ///< not yet written
  std::uint64_t kept_back_ = 0;       ///< records that `strict` did not let pass
  Result<void> last_write_;
};

}  // namespace bops

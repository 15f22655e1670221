// The meter of a run, fed with counts of which no collector knows: what cannot be counted, what
// goes down, GPUs, estimates, and what is left when bops dies.
#include "usage/usage_meter.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/harness/subprocess.hpp"
#include "tests/usage/sample_usage.hpp"
#include "usage/key_store.hpp"
#include "usage/verify_files.hpp"

namespace bops {
namespace {

using harness::read_file;

Counts counts_of(std::uint64_t total, std::uint64_t branches, bool decoded = true) {
  Counts counts;
  counts.instructions = {total, 0, 0, branches};
  if (decoded) counts.operations = Operations{total / 2, 0, 0};
  return counts;
}

/// One thread of so many instructions, half of them branches.
RunCounts run_of(std::uint64_t instructions, bool decoded = true) {
  RunCounts counts;
  counts.quality = Quality::kExact;
  counts.threads = {{1, 1, "a", 0, {}, "x", counts_of(instructions, instructions / 2, decoded)}};
  return counts;
}

RunCounts run_of_tenant(std::uint64_t instructions, const std::string& tenant,
                        std::uint64_t claimed, bool counted) {
  RunCounts counts = run_of(instructions);
  counts.regions = {{"tenant=" + tenant,
                     1,
                     1,
                     0,
                     1,
                     {{"tokens", 7}},
                     counted ? counts_of(claimed, claimed / 2) : Counts{},
                     counted}};
  return counts;
}

class Metered : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_key(directory_ / "key", directory_ / "trusted", 0, TrustedKey::kNoEnd, "/"));
  }
  [[nodiscard]] UsageOptions options() const {
    UsageOptions options;
    options.target = directory_ / "usage.jsonl";
    options.tenant = "acme";
    options.key_file = directory_ / "key";
    return options;
  }
  [[nodiscard]] std::unique_ptr<UsageMeter> start(UsageOptions options,
                                                  const char* integrity = "in_target") const {
    auto meter = UsageMeter::open(std::move(options));
    EXPECT_TRUE(meter) << meter.error().message;
    const CollectorInfo info{"x", "", "retired_instructions", "user", integrity, "native"};
    (*meter)->start(&info, ::getpid(), "", lookup_in({}), std::nullopt);
    return *std::move(meter);
  }
  [[nodiscard]] std::vector<UsageRecord> records() const {
    std::vector<UsageRecord> records;
    std::istringstream lines(read_file(directory_ / "usage.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      auto record = parse_usage_line(line);
      EXPECT_TRUE(record) << line;
      if (record) records.push_back(*std::move(record));
    }
    return records;
  }
  [[nodiscard]] std::uint64_t sum(const std::string& meter, const std::string& subject = "") const {
    std::uint64_t total = 0;
    for (const UsageRecord& record : records())
      if (record.meter == meter && (subject.empty() || record.subject == subject))
        total += record.quantity;
    return total;
  }
  /// The last record of a meter and a subject.
  [[nodiscard]] UsageRecord last(const std::string& meter, const std::string& subject) const {
    std::optional<UsageRecord> found;
    for (const UsageRecord& record : records())
      if (record.meter == meter && record.subject == subject) found = record;
    EXPECT_TRUE(found) << meter << " of " << subject;
    return found.value_or(UsageRecord{});
  }
  [[nodiscard]] bool verifies(bool closed) const {
    const auto trusted = TrustedKeys::read(directory_ / "trusted");
    const auto report = verify_files({directory_ / "usage.jsonl"}, {}, *trusted, "");
    EXPECT_TRUE(report) << report.error().message;
    return report && report->problems.empty() && report->sources.size() == 1 &&
           report->sources.front().closed == closed;
  }
  harness::TemporaryDirectory directory_;
};

TEST_F(Metered, tenants_whose_regions_have_no_counts_are_named_and_nothing_of_theirs_is_certain) {
  const auto meter = start(options());
  meter->cut(nullptr);
  const RunCounts counts = run_of_tenant(1000, "blue", 0, false);
  ASSERT_TRUE(meter->finish(&counts, 1));
  const UsageRecord blue = last("instructions", "blue");
  EXPECT_EQ(blue.quantity, 0U);
  EXPECT_FALSE(blue.rel_err_ppm) << "a 0 that is not known to be one";
  EXPECT_EQ(blue.coverage_ppm, 0);
  EXPECT_TRUE(blue.attrs.at("bops.not_counted").get<bool>());
  const UsageRecord shared = last("instructions", "shared");
  EXPECT_EQ(shared.quantity, 1000U);
  EXPECT_FALSE(shared.rel_err_ppm) << "it has blue's";
  EXPECT_TRUE(shared.attrs.at("bops.tenants_not_counted").get<bool>());
  EXPECT_EQ(last("tokens", "blue").quantity, 7U) << "what it did is known";
  EXPECT_EQ(last("tokens", "blue").rel_err_ppm, 0);
  ASSERT_EQ(meter->warnings().size(), 1U);
  EXPECT_EQ(meter->warnings().front().code, "usage_tenants_not_counted");
}

TEST_F(Metered, tenants_whose_counts_are_lost_midway_do_not_make_the_sum_exceed_the_run) {
  const auto meter = start(options());
  const RunCounts before = run_of_tenant(1000, "blue", 600, true);
  const RunCounts after = run_of_tenant(3000, "blue", 0, false);
  meter->cut(&before);
  EXPECT_EQ(sum("instructions", "blue"), 600U);
  EXPECT_EQ(last("instructions", "shared").rel_err_ppm, 0);
  meter->cut(&after);
  EXPECT_EQ(sum("instructions"), 3000U);
  EXPECT_EQ(sum("instructions", "blue"), 600U);
  EXPECT_FALSE(last("instructions", "blue").rel_err_ppm);
  ASSERT_TRUE(meter->finish(&after, 1));
  EXPECT_EQ(sum("instructions"), 3000U);
  EXPECT_TRUE(verifies(true));
}

TEST_F(Metered, strict_writes_nothing_of_tenants_that_were_not_counted) {
  UsageOptions strict = options();
  strict.strict = true;
  const auto meter = start(strict);
  const RunCounts counts = run_of_tenant(1000, "blue", 0, false);
  const auto finished = meter->finish(&counts, 1);
  ASSERT_FALSE(finished);
  EXPECT_EQ(sum("instructions"), 0U);
  EXPECT_EQ(sum("tokens", "blue"), 7U);
}

TEST_F(Metered, a_formula_that_ends_lower_than_it_was_written_is_told) {
  const auto meter = start(options());
  RunCounts counts = run_of(1000);
  meter->cut(&counts);
  EXPECT_EQ(sum("bops_formula"), 500U);
  counts.threads[0].counts.instructions = {1200, 0, 0, 1100};  // 100
  ASSERT_TRUE(meter->finish(&counts, 1));
  EXPECT_EQ(sum("bops_formula"), 500U) << "a record is never negative";
  EXPECT_EQ(last("bops_formula", "acme").attrs.at("bops.over"), "400");
  ASSERT_EQ(meter->warnings().size(), 1U);
  EXPECT_EQ(meter->warnings().front().code, "usage_over");
  EXPECT_NE(meter->warnings().front().message.find("400 more"), std::string::npos);
}

TEST_F(Metered, a_formula_that_went_down_and_up_again_is_not) {
  const auto meter = start(options());
  RunCounts counts = run_of(1000);
  meter->cut(&counts);
  counts.threads[0].counts.instructions = {1200, 0, 0, 1100};
  meter->cut(&counts);
  counts.threads[0].counts.instructions = {2200, 0, 0, 1100};
  ASSERT_TRUE(meter->finish(&counts, 1));
  EXPECT_EQ(sum("bops_formula"), 1100U);
  EXPECT_TRUE(meter->warnings().empty());
}

TEST_F(Metered, gpus_have_meters_of_their_own_with_method_and_coverage) {
  const auto meter = start(options());
  RunCounts counts = run_of(1000);
  GpuDeviceCounts gpu;
  gpu.uuid = "GPU-1";
  gpu.name = "H200";
  gpu.mode = "meter";
  gpu.launches = gpu.counted = 10;
  gpu.quality = Quality::kApproximate;
  gpu.counts.warp = GpuFormulaCounts{640, {}, {}, 100, 40};
  gpu.counts.duration_ns = 5000;
  counts.gpus = {gpu};
  meter->cut(&counts);
  counts.gpus[0].counts.warp->instructions += 60;
  counts.gpus[0].launches = 20;
  counts.gpus[0].counted = 15;
  gpu.uuid = "GPU-2";
  gpu.quality = Quality::kExact;
  gpu.counts.thread = GpuFormulaCounts{32000, 1, 1, 2, 0};
  counts.gpus.push_back(gpu);
  ASSERT_TRUE(meter->finish(&counts, 1));
  EXPECT_EQ(sum("gpu_warp_bops_formula"), 500U + 60 + 500);
  EXPECT_EQ(sum("gpu_warp_instructions"), 700U + 640);
  EXPECT_EQ(sum("gpu_thread_bops_formula"), 31998U);
  EXPECT_EQ(sum("gpu_time"), 10000U);
  EXPECT_EQ(sum("bops_formula"), 500U) << "of the CPUs alone";
  std::map<std::string, UsageRecord> last_of;
  for (const UsageRecord& record : records())
    if (record.meter == "gpu_warp_bops_formula") {
      EXPECT_EQ(record.method, UsageMethod::kDeviceProfiler);
      EXPECT_EQ(record.integrity, UsageIntegrity::kInTarget);
      EXPECT_EQ(record.unit, "operations");
      EXPECT_EQ(record.attrs.at("bops.collector"), "cuda");
      last_of[record.resource.at("gpu.uuid")] = record;
    }
  EXPECT_EQ(last_of["GPU-1"].coverage_ppm, 750'000);
  EXPECT_FALSE(last_of["GPU-1"].rel_err_ppm);
  EXPECT_EQ(last_of["GPU-2"].coverage_ppm, kPpm);
  EXPECT_EQ(last_of["GPU-2"].rel_err_ppm, 0);
  EXPECT_EQ(last_of["GPU-2"].attrs.at("bops.quality"), "exact");
}

TEST_F(Metered, estimated_operations_name_their_calibration_and_only_they) {
  UsageOptions calibrated = options();
  const UsageDependency calibration{"xz.calibration.json", std::string(64, 'a')};
  calibrated.estimate = [&](const CollectorInfo&, const RunCounts& counts) {
    return std::optional<DecodedEstimate>(
        {counts.totals().instructions.total * 2, 30'000, calibration});
  };
  const auto meter = start(calibrated, "kernel");
  RunCounts counts = run_of(1000, false);
  counts.error_ppm = 1000;
  meter->cut(&counts);
  const UsageRecord first = last("bops_decoded", "acme");
  EXPECT_EQ(first.quantity, 2000U);
  EXPECT_EQ(first.method, UsageMethod::kModel);
  EXPECT_EQ(first.rel_err_ppm, 30'000);
  EXPECT_EQ(first.calibration, calibration);
  EXPECT_FALSE(last("bops_formula", "acme").calibration);
  EXPECT_EQ(last("bops_formula", "acme").rel_err_ppm, 1000);
  const RunCounts more = run_of(1500, false);
  ASSERT_TRUE(meter->finish(&more, 1));
  EXPECT_EQ(sum("bops_decoded"), 3000U);
  EXPECT_FALSE(last("bops_decoded", "acme").rel_err_ppm) << "the bound is of the whole run";
}

TEST_F(Metered, decoded_operations_need_no_calibration) {
  UsageOptions calibrated = options();
  calibrated.estimate = [](const CollectorInfo&, const RunCounts&) {
    return std::optional<DecodedEstimate>({1, 1, {"c", std::string(64, 'a')}});
  };
  const auto meter = start(calibrated);
  const RunCounts counts = run_of(1000);
  ASSERT_TRUE(meter->finish(&counts, 1));
  EXPECT_EQ(sum("bops_decoded"), 500U);
  EXPECT_FALSE(last("bops_decoded", "acme").calibration);
}

TEST_F(Metered, the_open_interval_of_a_bops_that_died_is_written_from_the_counts) {
  nlohmann::json state;
  {
    UsageOptions with_work = options();
    with_work.work = {{"images", 5}};
    auto meter = start(with_work);
    state = meter->state();
    const RunCounts counts = run_of(1000);
    meter->cut(&counts);
    // Dies here: the destructor of one that was started writes nothing.
  }
  EXPECT_TRUE(verifies(false));
  std::ofstream(directory_ / "usage.jsonl", std::ios::app) << "{\"specversion\":\"1.0\",\"ty";
  const auto reopened = UsageMeter::reopen(state);
  ASSERT_TRUE(reopened) << reopened.error().message;
  ASSERT_NE(*reopened, nullptr);
  EXPECT_EQ((*reopened)->open_since(), records().back().end);
  const RunCounts counts = run_of(1800);
  const auto written = (*reopened)->recover(counts, 0, std::nullopt);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_GT(*written, 0U);
  EXPECT_TRUE(verifies(true));
  EXPECT_EQ(sum("instructions"), 1800U);
  EXPECT_EQ(sum("bops_formula"), 900U);
  const UsageRecord instructions = last("instructions", "acme");
  EXPECT_EQ(instructions.quantity, 800U);
  EXPECT_TRUE(instructions.attrs.at("bops.recovered").get<bool>());
  for (const char* meter : {"cpu_time", "images"}) {
    EXPECT_FALSE(last(meter, "acme").rel_err_ppm) << meter;
    EXPECT_TRUE(last(meter, "acme").attrs.contains("bops.not_counted")) << meter;
  }
  EXPECT_EQ(sum("images"), 0U) << "declared of a run to its end";
  const auto again = UsageMeter::reopen(state);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, nullptr) << "nothing is missing any more";
}

TEST(CpuTimeOfProcesses, is_complete_where_all_were_there_from_first_to_last) {
  CpuTimeMeter meter;
  harness::Subprocess other({"/bin/sleep", "1000"});
  EXPECT_EQ(meter.of_processes({::getpid()}).used_ns, 0U) << "since it was first looked at";
  CpuTime time;
  while (time.used_ns == 0) time = meter.of_processes({::getpid()});
  EXPECT_TRUE(time.complete);
  EXPECT_FALSE(meter.of_processes({::getpid(), other.pid()}).complete) << "one that came later";
  CpuTimeMeter both;
  EXPECT_TRUE(both.of_processes({::getpid(), other.pid()}).complete);
  const CpuTime one_ended = both.of_processes({::getpid()});
  EXPECT_FALSE(one_ended.complete);
  EXPECT_GE(both.of_processes({::getpid()}).used_ns, one_ended.used_ns);
}

TEST_F(Metered, the_open_interval_of_tenants_goes_to_each) {
  nlohmann::json state;
  {
    const auto meter = start(options());
    state = meter->state();
    const RunCounts alone = run_of(100);
    meter->cut(&alone);  // acme's, before the first region
    const RunCounts counts = run_of_tenant(1000, "blue", 300, true);
    meter->cut(&counts);
  }
  const RunCounts counts = run_of_tenant(2000, "blue", 700, true);
  const auto reopened = UsageMeter::reopen(state);
  ASSERT_TRUE(reopened) << reopened.error().message;
  ASSERT_TRUE((*reopened)->recover(counts, 0, 12345));
  EXPECT_EQ(sum("instructions", "blue"), 700U);
  EXPECT_EQ(sum("instructions"), 2000U);
  EXPECT_EQ(sum("tokens", "blue"), 7U);
  EXPECT_GE(sum("cpu_time"), 12345U) << "of a run that ended before its bops";
  EXPECT_TRUE(verifies(true));
}

TEST_F(Metered, what_was_touched_or_is_gone_is_not_gone_on_with) {
  nlohmann::json state;
  {
    const auto meter = start(options());
    state = meter->state();
    const RunCounts counts = run_of(1000);
    meter->cut(&counts);
  }
  const std::string path = directory_ / "usage.jsonl";
  const std::string whole = read_file(path);
  std::string touched = whole;
  touched[touched.find("\"quantity\":\"1000\"") + 12] = '9';
  const auto refused = [&](const std::string& text, const char* why) {
    { std::ofstream(path, std::ios::trunc) << text; }
    const auto reopened = UsageMeter::reopen(state);
    EXPECT_FALSE(reopened) << why;
    EXPECT_EQ(read_file(path), text) << why;
  };
  refused(touched, "a byte changed");
  refused(whole.substr(0, whole.find('\n') + 1), "the end cut off");
  refused("", "all gone");
  std::filesystem::remove(path + ".checkpoints");
  refused(whole, "no checkpoint");
}

}  // namespace
}  // namespace bops

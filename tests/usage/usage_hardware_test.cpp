// bops run and attach --usage with hardware counters, on the PMU double.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/doubles/pmu/on_pmu_double.hpp"
#include "tests/usage/written_usage.hpp"
#include "usage/digest.hpp"

namespace bops {
namespace {

using harness::bops_program, harness::run, harness::Subprocess, harness::target_program;
using written::records_of, written::sum;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

class HardwareUsage : public OnPmuDouble {
 protected:
  void SetUp() override {
    OnPmuDouble::SetUp();
    if (IsSkipped()) return;
    variables_["XDG_CONFIG_HOME"] = directory_ / "config";
  }
  [[nodiscard]] harness::Ended bops(Words words) const {
    words.insert(words.begin(), bops_program());
    return run(words, variables_);
  }
  [[nodiscard]] static Words attach(pid_t pid, const Words& options) {
    Words words{bops_program(), "attach", "-p", std::to_string(pid)};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }
  harness::TemporaryDirectory directory_;
  const std::string file_ = directory_ / "usage.jsonl";
  const std::string report_ = directory_ / "report.json";
};

TEST_F(HardwareUsage, of_attach_is_written_meanwhile_sums_to_the_report_and_verifies) {
  Subprocess target({target_program("busy_loop")}, {{"SLURM_JOB_ID", "4711"}});
  Subprocess attached(
      attach(target.pid(), {"--usage", file_, "--tenant", "acme", "--label", "model=m1",
                            "--usage-interval", "20ms", "--work", "images=3", "-o", report_}),
      variables_);
  written::wait_for_lines(file_, 6);
  ::kill(attached.pid(), SIGINT);
  const auto ended = attached.wait();
  ASSERT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(::kill(target.pid(), 0), 0) << "the target lives on";
  const Json totals = Json::parse(harness::read_file(report_)).at("totals");
  const auto records = records_of(file_);
  EXPECT_EQ(sum(records, "instructions"), totals.at("instructions"));
  EXPECT_EQ(sum(records, "bops_formula"), totals.at("bops_formula"));
  EXPECT_EQ(sum(records, "images"), 3U);
  bool has_cpu_time = false;
  for (const UsageRecord& record : records) {
    EXPECT_EQ(record.subject, "acme");
    EXPECT_EQ(record.resource.at("process.pid"), target.pid());
    EXPECT_EQ(record.resource.at("slurm.job_id"), "4711") << "of the target's environment";
    EXPECT_EQ(record.attrs.at("model"), "m1");
    has_cpu_time |= record.meter == "cpu_time";
    if (record.meter != "instructions") continue;
    EXPECT_EQ(record.method, UsageMethod::kHwExact);
    EXPECT_EQ(record.integrity, UsageIntegrity::kKernel);
    EXPECT_EQ(record.attrs.at("bops.collector"), "pmu");
    EXPECT_TRUE(record.event_table) << "what a dispute can be recounted with";
    EXPECT_FALSE(record.calibration);
    EXPECT_FALSE(record.rel_err_ppm) << "the self check fails on the double";
  }
  EXPECT_TRUE(has_cpu_time);
  const auto verified = bops({"usage", "verify", "--json", file_});
  EXPECT_EQ(verified.code, 0) << verified.output;
  EXPECT_TRUE(Json::parse(verified.output).at("sources").at(0).at("closed").get<bool>());
}

TEST_F(HardwareUsage, of_attach_under_strict_has_nothing_whose_error_is_not_known) {
  Subprocess target({target_program("busy_loop")});
  const auto ended = run(attach(target.pid(), {"--usage", file_, "--tenant", "acme", "--strict",
                                               "--duration", "200ms", "-o", report_}),
                         variables_);
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.errors.find("--strict"), std::string::npos) << ended.errors;
  for (const UsageRecord& record : records_of(file_)) EXPECT_TRUE(record.rel_err_ppm);
  EXPECT_EQ(sum(records_of(file_), "instructions"), 0U);
  EXPECT_EQ(bops({"usage", "verify", file_}).code, 0);
}

TEST_F(HardwareUsage, of_attach_to_a_process_that_is_gone_is_a_closed_chain_without_records) {
  pid_t gone = 0;
  {
    Subprocess target({"/bin/true"});
    gone = target.pid();
    (void)target.wait();
  }
  EXPECT_EQ(run(attach(gone, {"--usage", file_, "--tenant", "acme"}), variables_).code, 125);
  EXPECT_TRUE(records_of(file_).empty());
  EXPECT_EQ(bops({"usage", "verify", file_}).code, 0);
}

TEST_F(HardwareUsage, of_a_killed_attach_is_recovered_up_to_the_last_snapshot) {
  Subprocess target({target_program("busy_loop")});
  Subprocess attached(attach(target.pid(), {"--usage", file_, "--tenant", "acme",
                                            "--usage-interval", "50ms", "-o", report_}),
                      variables_);
  std::string name;
  while (name.empty()) {
    for (const auto& entry : std::filesystem::directory_iterator(state_.path()))
      if (std::filesystem::exists(entry.path() / "snapshot.json")) name = entry.path().filename();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  written::wait_for_lines(file_, 3);
  ::kill(attached.pid(), SIGKILL);
  (void)attached.wait();
  const std::uint64_t before = sum(records_of(file_), "instructions");
  const auto recovered = bops({"recover", name, "-o", report_});
  ASSERT_EQ(recovered.code, 0) << recovered.errors;
  const auto counted =
      Json::parse(harness::read_file(report_)).at("totals").at("instructions").get<std::uint64_t>();
  EXPECT_EQ(sum(records_of(file_), "instructions"), std::max(before, counted));
  const auto verified = bops({"usage", "verify", "--json", file_});
  EXPECT_EQ(verified.code, 0) << verified.output;
  EXPECT_TRUE(Json::parse(verified.output).at("sources").at(0).at("closed").get<bool>());
}

TEST_F(HardwareUsage, of_a_run_killed_before_its_first_snapshot_names_where_the_records_end) {
  Subprocess running(
      {bops_program(), "run", "--collector", "perf", "--usage", file_, "--tenant", "acme",
       "--usage-interval", "20ms", "-o", report_, "--", target_program("busy_loop")},
      variables_);
  written::wait_for_lines(file_, 3);
  ::kill(running.pid(), SIGKILL);
  (void)running.wait();
  const auto records = records_of(file_);
  ::kill(records.front().resource.at("process.pid").get<pid_t>(), SIGKILL);
  std::string name;
  for (const auto& entry : std::filesystem::directory_iterator(state_.path()))
    if (std::filesystem::exists(entry.path() / "usage.json")) {
      name = entry.path().filename();
      std::filesystem::remove(entry.path() / "snapshot.json");  // on a slow machine there is one
    }
  const auto recovered = bops({"recover", name});
  EXPECT_EQ(recovered.code, 125);
  EXPECT_NE(recovered.errors.find("what was used from " + format_utc(records.back().end) +
                                  " on is in no usage record"),
            std::string::npos)
      << recovered.errors;
}

TEST_F(HardwareUsage, of_a_calibrated_run_has_estimated_operations_that_name_the_calibration) {
  const std::string calibration = directory_ / "busy.json";
  const Words command{target_program("busy_loop"), "300000"};
  const auto calibrated =
      bops({"calibrate", "--collector", "perf", "-o", calibration, "--", command[0], command[1]});
  if (calibrated.code != 0) GTEST_SKIP() << calibrated.errors;
  const auto ended = bops({"run", "--collector", "perf", "--calibration", calibration, "--usage",
                           file_, "--tenant", "acme", "-o", report_, "--", command[0], command[1]});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const Json record = Json::parse(harness::read_file(report_));
  std::size_t estimates = 0;
  for (const UsageRecord& each : records_of(file_)) {
    EXPECT_EQ(each.calibration.has_value(), each.meter == "bops_decoded") << each.meter;
    if (each.meter != "bops_decoded") continue;
    ++estimates;
    EXPECT_EQ(each.method, UsageMethod::kModel);
    EXPECT_EQ(each.integrity, UsageIntegrity::kKernel);
    EXPECT_EQ(each.calibration->name, "busy.json");
    EXPECT_EQ(each.calibration->sha256, sha256_hex(harness::read_file(calibration)));
    EXPECT_EQ(each.quantity, record.at("calibrated").at("operations_estimate"));
    EXPECT_FALSE(each.rel_err_ppm) << "the counts it starts from have no bound on the double";
  }
  EXPECT_EQ(estimates, 1U);
}

TEST_F(HardwareUsage, of_tenants_whose_regions_have_no_counts_is_marked) {
  const auto ended = bops({"run",
                           "--collector",
                           "perf",
                           "--usage",
                           file_,
                           "--tenant",
                           "acme",
                           "--format",
                           "json",
                           "-o",
                           report_,
                           "--",
                           target_program("region_pages_on_double"),
                           "limit",
                           "5",
                           "begin",
                           "tenant=blue",
                           "touch",
                           "10",
                           "work",
                           "tokens",
                           "2",
                           "end"});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  const auto records = records_of(file_);
  EXPECT_EQ(sum(records, "tokens", "blue"), 2U);
  bool marked = false;
  for (const UsageRecord& record : records) {
    if (record.meter != "instructions") continue;
    EXPECT_FALSE(record.rel_err_ppm);
    if (record.subject == "blue") {
      EXPECT_EQ(record.quantity, 0U);
      EXPECT_TRUE(record.attrs.contains("bops.not_counted"));
      EXPECT_EQ(record.coverage_ppm, 0);
      marked = true;
    } else {
      EXPECT_EQ(record.subject, "shared");
      EXPECT_TRUE(record.attrs.contains("bops.tenants_not_counted"));
    }
  }
  EXPECT_TRUE(marked);
  const Json record = Json::parse(harness::read_file(report_));
  EXPECT_NE(record.at("warnings").dump().find("usage_tenants_not_counted"), std::string::npos);
}

}  // namespace
}  // namespace bops

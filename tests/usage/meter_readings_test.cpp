#include "usage/meter_readings.hpp"

#include <gtest/gtest.h>

#include "usage/run_evidence.hpp"
#include "usage/work_scraper.hpp"

namespace bops {
namespace {

Counts counts_of(std::uint64_t total, std::uint64_t branches) {
  Counts counts;
  counts.instructions = {total, 0, 0, branches};
  counts.operations = Operations{total, 0, 0};
  return counts;
}

RunCounts two_tenants() {
  RunCounts counts;
  counts.quality = Quality::kExact;
  counts.threads = {{1, 1, "a", 0, {}, "native", counts_of(1000, 100), {{"tokens", 12}}},
                    {1, 2, "b", 5, {}, "native", counts_of(500, 50), {}}};
  counts.regions = {{"tenant=acme", 1, 1, 0, 3, {{"tokens", 5}}, counts_of(300, 30)},
                    {"decode", 1, 1, 0, 9, {{"tokens", 5}}, counts_of(200, 20)},
                    {"tenant=acme", 1, 2, 5, 1, {}, counts_of(100, 10)},
                    {"tenant=bob", 1, 1, 0, 1, {{"tokens", 7}}, counts_of(400, 40)}};
  return counts;
}

TEST(MeterReadings, of_tenants_and_of_what_is_shared_sum_to_the_run) {
  const RunReadings readings = readings_of(two_tenants());
  EXPECT_TRUE(readings.by_tenant);
  EXPECT_FALSE(readings.tenants_overlap);
  const auto& meters = readings.meters;
  EXPECT_EQ(meters.at({"acme", "instructions"}), 400);
  EXPECT_EQ(meters.at({"bob", "instructions"}), 400);
  EXPECT_EQ(meters.at({"", "instructions"}), 700);
  EXPECT_EQ(meters.at({"acme", "bops_formula"}), 360);
  EXPECT_EQ(meters.at({"", "bops_formula"}), 1350 - 720);
  EXPECT_EQ(meters.at({"acme", "tokens"}), 5);
  EXPECT_EQ(meters.at({"bob", "tokens"}), 7);
  EXPECT_EQ(meters.at({"", "tokens"}), 0);
}

TEST(MeterReadings, of_tenants_inside_one_another_are_left_shared_and_marked) {
  RunCounts counts = two_tenants();
  counts.regions[3].counts = counts_of(900, 0);
  const RunReadings readings = readings_of(counts);
  EXPECT_TRUE(readings.tenants_overlap);
  EXPECT_EQ(readings.meters.at({"bob", "instructions"}), 0);
  EXPECT_EQ(readings.not_counted, (std::set<std::string>{"acme", "bob"})) << "theirs are too low";
  EXPECT_EQ(readings.meters.at({"acme", "instructions"}), 100) << "of the thread that is right";
  EXPECT_EQ(readings.meters.at({"", "instructions"}), 1400);
}

TEST(MeterReadings, of_regions_without_counts_are_left_shared_and_their_tenants_named) {
  RunCounts counts = two_tenants();
  counts.regions[3].counts = {};
  counts.regions[3].counted = false;
  const RunReadings readings = readings_of(counts);
  EXPECT_EQ(readings.not_counted, std::set<std::string>{"bob"});
  EXPECT_FALSE(readings.tenants_overlap);
  EXPECT_TRUE(readings.by_tenant);
  EXPECT_EQ(readings.meters.at({"", "instructions"}), 1100);
  EXPECT_EQ(readings.meters.at({"bob", "tokens"}), 7) << "known all the same";
  EXPECT_FALSE(readings.regions_lost);
  counts.warnings.push_back({"regions_not_counted", "of 1 threads ..."});
  EXPECT_TRUE(readings_of(counts).regions_lost) << "of whom, nobody knows";
}

TEST(MeterReadings, of_gpus_are_those_levels_that_were_measured) {
  RunCounts counts;
  counts.gpus.resize(2);
  counts.gpus[0].uuid = "GPU-a";
  counts.gpus[0].counts.warp = GpuFormulaCounts{100, {}, {}, 30, 10};
  counts.gpus[1].uuid = "GPU-b";
  counts.gpus[1].counts.duration_ns = 77;
  EXPECT_EQ(gpu_readings_of(counts),
            (MeterReadings{{{"", "gpu_time", "GPU-b"}, 77},
                           {{"", "gpu_warp_bops_formula", "GPU-a"}, 60},
                           {{"", "gpu_warp_instructions", "GPU-a"}, 100}}));
}

TEST(MeterReadings, lack_what_was_not_decoded) {
  RunCounts counts = two_tenants();
  counts.regions.clear();
  counts.threads[1].counts.operations.reset();
  EXPECT_FALSE(readings_of(counts).meters.contains({"", "bops_decoded"}));
}

TEST(MeterOfWork, is_a_known_meter_or_one_of_the_users_own) {
  EXPECT_EQ(meter_of_work("tokens"), "tokens");
  EXPECT_EQ(meter_of_work("images"), "images");
  EXPECT_EQ(meter_of_work("Pages Read"), "work_pages_read");
  EXPECT_EQ(meter_of_work("instructions"), "work_instructions") << "not to be mistaken for counts";
  EXPECT_EQ(meter_of_work("bops_formula"), "work_bops_formula");
  EXPECT_TRUE(is_known_meter(meter_of_work(std::string(300, 'x'))));
  EXPECT_TRUE(is_known_meter(meter_of_work("")));
}

TEST(Evidence, of_an_exact_engine_has_no_error_and_of_hardware_that_of_its_self_check) {
  RunCounts counts = two_tenants();
  CollectorInfo engine, hardware;
  engine.integrity = "in_target";
  hardware.integrity = "kernel";
  EXPECT_EQ(evidence_of(engine, counts).method, UsageMethod::kCounted);
  EXPECT_EQ(evidence_of(engine, counts).rel_err_ppm, 0);
  EXPECT_EQ(evidence_of(hardware, counts).integrity, UsageIntegrity::kKernel);
  EXPECT_FALSE(evidence_of(hardware, counts).rel_err_ppm);
  counts.error_ppm = 1000;
  counts.basis = {"skylake", "{}"};
  EXPECT_EQ(evidence_of(hardware, counts).rel_err_ppm, 1000) << "of the self check";
  EXPECT_EQ(evidence_of(hardware, counts).event_table->sha256,
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  counts.quality = Quality::kScaled;
  counts.counted_ppm = 250'000;
  EXPECT_EQ(evidence_of(hardware, counts).method, UsageMethod::kHwScaled);
  EXPECT_EQ(evidence_of(hardware, counts).coverage_ppm, 250'000);
  EXPECT_FALSE(evidence_of(hardware, counts).rel_err_ppm);
  counts.quality = Quality::kApproximate;
  EXPECT_EQ(evidence_of(hardware, counts).method, UsageMethod::kHwExact);
  EXPECT_FALSE(evidence_of(hardware, counts).rel_err_ppm);
  counts.quality = Quality::kPartial;
  EXPECT_FALSE(evidence_of(engine, counts).rel_err_ppm) << "what was left out is not known";
}

TEST(Coverage, is_the_time_that_counted_processes_lived) {
  RunCounts counts;
  counts.processes = {{1, 0, "/a", true, "", 0, 100, {}},
                      {2, 1, "/b", false, "setuid", 50, 100, {}}};
  EXPECT_EQ(coverage_ppm_of(counts), 666'666);
  counts.processes[1].end_ns = 50;
  EXPECT_EQ(coverage_ppm_of(counts), kPpm - 1) << "never the whole where something is missing";
  counts.processes.pop_back();
  EXPECT_EQ(coverage_ppm_of(counts), kPpm);
}

TEST(ServedWork, is_read_from_vllm_llama_cpp_and_any_server) {
  const ServedWork vllm = parse_served_work(
      "# HELP vllm:prompt_tokens_total Number of prefill tokens processed.\n"
      "vllm:prompt_tokens_total{engine=\"0\",model_name=\"m\"} 1200.0\n"
      "vllm:prompt_tokens_total{engine=\"1\",model_name=\"m\"} 30.0\n"
      "vllm:generation_tokens_total{model_name=\"m\"} 70.0\n"
      "vllm:request_success_total{finished_reason=\"stop\",model_name=\"m\"} 4.0\n"
      "vllm:request_success_total{finished_reason=\"length\",model_name=\"m\"} 1.0\n"
      "vllm:request_success_created{finished_reason=\"length\"} 1.7e+09\n");
  EXPECT_EQ(vllm,
            (ServedWork{
                {"tokens", 1300}, {"tokens_input", 1230}, {"tokens_output", 70}, {"requests", 5}}));
  EXPECT_EQ(
      parse_served_work("llamacpp:prompt_tokens_total 11\nllamacpp:tokens_predicted_total 22\n"
                        "llamacpp:kv_cache_usage_ratio 0.5"),
      (ServedWork{{"tokens", 33}, {"tokens_input", 11}, {"tokens_output", 22}}));
  EXPECT_EQ(parse_served_work("bops_work_total{unit=\"images\"} 9\n"), (ServedWork{{"images", 9}}));
  EXPECT_TRUE(parse_served_work("vllm:prompt_tokens_total{x=\"}\nvllm:prompt_tokens_total NaN\n"
                                "vllm:prompt_tokens_total -1\nvllm:prompt_tokens_total\n\n{")
                  .empty());
}

TEST(ServedWork, of_a_server_that_started_again_is_summed) {
  ServedWorkSum sum;
  sum.add({{"tokens", 100}});
  sum.add({{"tokens", 150}});
  sum.add({{"tokens", 20}});
  EXPECT_EQ(sum.total().at("tokens"), 170U);
  ServedWorkSum attached;
  attached.start_from({{"tokens", 1000}});
  attached.add({{"tokens", 1005}});
  EXPECT_EQ(attached.total().at("tokens"), 5U);
}

}  // namespace
}  // namespace bops

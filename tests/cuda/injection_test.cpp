// The library inside the target, on the double: what it counts, and that it is never in the way.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <numeric>
#include <set>

#include "collectors/cuda/device_rows.hpp"
#include "collectors/cuda/problems.hpp"
#include "model/bops.hpp"
#include "tests/cuda/injected_run.hpp"
#include "tests/doubles/cuda/cuda_double.hpp"

namespace bops::cuda {
namespace {

constexpr Injection kProfile{.mode = Mode::kProfile};

GpuCounts sum(std::vector<GpuCounts> parts) {
  GpuCounts total = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) total += parts[i];
  return total;
}

std::set<std::int32_t> codes(const InjectedRun& run) {
  std::set<std::int32_t> found;
  for (const WireFile& file : run.files)
    for (const WireFile::Problem& problem : file.problems) found.insert(problem.code);
  return found;
}

TEST(Injection, meters_ten_kernels_to_the_digit_in_one_pass) {
  const InjectedRun run =
      run_injected({"context:0", "launch:saxpy:16:256:7", "launch:gemm:8:96:3", "destroy"});
  EXPECT_EQ(run.ended.code, 0);
  EXPECT_EQ(run.ended.output, "done\n");
  EXPECT_EQ(run.ended.errors, "");
  const RunCounts counts = gpu_counts(run.files, Mode::kMeter);
  ASSERT_EQ(counts.gpus.size(), 1U);
  const GpuDeviceCounts& gpu = counts.gpus.front();
  EXPECT_EQ(gpu.counts, sum({expected_counts(Mode::kMeter, "saxpy", 16, 256, 7),
                             expected_counts(Mode::kMeter, "gemm", 8, 96, 3)}));
  EXPECT_EQ(bops_formula(*gpu.counts.warp), 7 * 128 * (20 - 3 - 2) + 3 * 24 * (97 - 24 - 4));
  EXPECT_EQ(gpu.counts.tensor_instructions.at("hmma"), 3U * 24 * 16);
  EXPECT_EQ(gpu.launches, 10U);
  EXPECT_EQ(gpu.counted, 10U);
  EXPECT_EQ(gpu.passes, 1U);
  EXPECT_EQ(gpu.chip, "GH100");
  EXPECT_EQ(gpu.name, "Double 0");
  EXPECT_EQ(gpu.quality, Quality::kApproximate) << "the meter is not the formula itself";
  EXPECT_TRUE(counts.warnings.empty()) << counts.warnings.front().message;
}

TEST(Injection, profiles_each_kernel_with_its_shape_counts_and_duration) {
  const InjectedRun run = run_injected({"context:0", "launch:saxpy:16:256:2", "launch:stage:4:33:1",
                                        "launch:saxpy:16:256:3", "launch:saxpy:1:32:4", "destroy"},
                                       kProfile);
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  ASSERT_EQ(counts.gpus.size(), 1U);
  const GpuDeviceCounts& gpu = counts.gpus.front();
  ASSERT_EQ(gpu.kernels.size(), 3U);
  std::vector<GpuCounts> parts;
  for (const GpuKernelCounts& kernel : gpu.kernels) {
    EXPECT_EQ(kernel.counts, expected_counts(Mode::kProfile, kernel.name, kernel.grid[0],
                                             kernel.block[0], kernel.launches));
    EXPECT_EQ(kernel.counts.duration_ns, kernel.launches * 1000);
    EXPECT_EQ(kernel.grid[1], 1U);
    parts.push_back(kernel.counts);
  }
  EXPECT_EQ(gpu.counts, sum(parts));
  EXPECT_EQ(gpu.counted, 10U);
  EXPECT_EQ(gpu.passes, 2U);
  ASSERT_TRUE(gpu.counts.thread);
  const auto& stage = *std::find_if(gpu.kernels.begin(), gpu.kernels.end(),
                                    [](const auto& kernel) { return kernel.name == "stage"; });
  EXPECT_EQ(stage.counts.warp->stores, 8U * 5) << "STS are stores";
}

TEST(Injection, fetches_again_and_again_and_loses_nothing_between) {
  Injection often = kProfile;
  often.ranges = 4;
  const InjectedRun profile =
      run_injected({"context:0", "launch:saxpy:16:256:10", "destroy"}, often);
  const RunCounts counts = gpu_counts(profile.files, Mode::kProfile);
  EXPECT_EQ(profile.files.front().counts.size(), 3U) << "4 + 4 + 2 launches";
  EXPECT_EQ(counts.gpus.front().counts, expected_counts(Mode::kProfile, "saxpy", 16, 256, 10));
  EXPECT_EQ(counts.gpus.front().dropped, 0U);

  const InjectedRun meter =
      run_injected({"context:0", "launch:saxpy:16:256:5", "sync", "sync", "launch:gemm:1:32:5"},
                   {.interval_ms = 0});
  EXPECT_EQ(meter.files.front().counts.size(), 10U) << "nothing is fetched where nothing ran";
  EXPECT_EQ(gpu_counts(meter.files, Mode::kMeter).gpus.front().counts,
            sum({expected_counts(Mode::kMeter, "saxpy", 16, 256, 5),
                 expected_counts(Mode::kMeter, "gemm", 1, 32, 5)}));
}

TEST(Injection, tells_of_the_launches_that_cupti_dropped) {
  Injection narrow = kProfile;
  narrow.ranges = 8;
  narrow.settings += " room=5";
  const InjectedRun run =
      run_injected({"context:0", "launch:saxpy:1:32:16", "launch:gemm:1:32:3", "destroy"}, narrow);
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  const GpuDeviceCounts& gpu = counts.gpus.front();
  EXPECT_EQ(gpu.launches, 19U);
  EXPECT_EQ(gpu.dropped, 6U) << "3 of each full 8";
  EXPECT_EQ(gpu.counted, 13U);
  EXPECT_EQ(gpu.quality, Quality::kPartial);
  EXPECT_EQ(gpu.counts, sum({expected_counts(Mode::kProfile, "saxpy", 1, 32, 10),
                             expected_counts(Mode::kProfile, "gemm", 1, 32, 3)}));
  ASSERT_FALSE(counts.warnings.empty());
  EXPECT_EQ(counts.warnings.back().code, "gpu_launches_dropped");
}

TEST(Injection, counts_a_hundred_thousand_launches_in_bounded_space) {
  for (const Mode mode : {Mode::kMeter, Mode::kProfile}) {
    Injection injection;
    injection.mode = mode;
    const InjectedRun run = run_injected(
        {"context:0", "launch:large:2:64:50000", "launch:branchy:3:32:50000", "destroy"},
        injection);
    EXPECT_EQ(run.ended.code, 0);
    const RunCounts counts = gpu_counts(run.files, mode);
    const GpuDeviceCounts& gpu = counts.gpus.front();
    EXPECT_EQ(gpu.counted, 100000U);
    EXPECT_EQ(gpu.dropped, 0U);
    EXPECT_EQ(gpu.counts, sum({expected_counts(mode, "large", 2, 64, 50000),
                               expected_counts(mode, "branchy", 3, 32, 50000)}));
    if (mode == Mode::kProfile) {
      EXPECT_LE(run.files.front().counts.size(), 2 * (100000 / 512 + 2)) << "a row per fetch";
      EXPECT_EQ(gpu.kernels.size(), 2U);
    }
  }
}

TEST(Injection, keeps_two_devices_apart_and_adds_two_contexts_of_one_up) {
  Injection two = kProfile;
  two.settings += " devices=2";
  const InjectedRun run =
      run_injected({"context:0", "launch:saxpy:1:32:1", "context:1", "launch:gemm:1:32:2",
                    "context:0", "launch:stage:1:32:4", "destroy", "destroy", "destroy"},
                   two);
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  ASSERT_EQ(counts.gpus.size(), 2U);
  EXPECT_EQ(counts.gpus[0].index, 0U);
  EXPECT_EQ(counts.gpus[0].counts, sum({expected_counts(Mode::kProfile, "saxpy", 1, 32, 1),
                                        expected_counts(Mode::kProfile, "stage", 1, 32, 4)}));
  EXPECT_EQ(counts.gpus[1].index, 1U);
  EXPECT_EQ(counts.gpus[1].counts, expected_counts(Mode::kProfile, "gemm", 1, 32, 2));
  EXPECT_NE(counts.gpus[0].uuid, counts.gpus[1].uuid);
}

TEST(Injection, flushes_contexts_that_are_never_destroyed) {
  for (const Mode mode : {Mode::kMeter, Mode::kProfile}) {
    Injection injection;
    injection.mode = mode;
    const InjectedRun run = run_injected(
        {"context:0", "launch:saxpy:1:32:3", "context:0", "launch:gemm:1:32:2", "exit:7"},
        injection);
    EXPECT_EQ(run.ended.code, 7);
    ASSERT_EQ(run.files.size(), 1U);
    EXPECT_TRUE(run.files.front().ended);
    EXPECT_EQ(
        gpu_counts(run.files, mode).gpus.front().counts,
        sum({expected_counts(mode, "saxpy", 1, 32, 3), expected_counts(mode, "gemm", 1, 32, 2)}));
  }
}

TEST(Injection, gives_each_process_its_own_counts) {
  const InjectedRun run =
      run_injected({"early:context:0;launch:saxpy:1:32:5", "context:0", "launch:gemm:1:32:2",
                    "fork:exit:0", "destroy", "exec:context:0;launch:stage:1:32:3;exit:4"});
  EXPECT_EQ(run.ended.code, 4);
  ASSERT_EQ(run.files.size(), 3U) << "the child before cuInit, the parent, what it becomes";
  EXPECT_EQ(gpu_counts({run.files[0]}, Mode::kMeter).gpus.front().counts,
            expected_counts(Mode::kMeter, "saxpy", 1, 32, 5));
  EXPECT_EQ(gpu_counts({run.files[1]}, Mode::kMeter).gpus.front().counts,
            expected_counts(Mode::kMeter, "gemm", 1, 32, 2))
      << "the child after cuInit adds nothing to it";
  EXPECT_EQ(gpu_counts({run.files[2]}, Mode::kMeter).gpus.front().counts,
            expected_counts(Mode::kMeter, "stage", 1, 32, 3));
  EXPECT_EQ(run.files[0].ppid, run.files[1].pid);
  EXPECT_EQ(run.files[1].pid, run.files[2].pid);
  EXPECT_EQ(gpu_counts(run.files, Mode::kMeter).gpus.front().processes.size(), 2U);
}

TEST(Injection, counts_graphs_when_they_run_and_not_when_they_are_recorded) {
  const std::vector<std::string> words{"context:0", "graph:saxpy:2:64:3:4", "launch:gemm:1:32:1",
                                       "destroy"};
  const InjectedRun meter = run_injected(words, {.interval_ms = 0});
  EXPECT_EQ(gpu_counts(meter.files, Mode::kMeter).gpus.front().counts,
            sum({expected_counts(Mode::kMeter, "saxpy", 2, 64, 12),
                 expected_counts(Mode::kMeter, "gemm", 1, 32, 1)}));
  EXPECT_EQ(gpu_counts(meter.files, Mode::kMeter).gpus.front().launches, 5U);
  const InjectedRun profile = run_injected(words, kProfile);
  const RunCounts counts = gpu_counts(profile.files, Mode::kProfile);
  EXPECT_EQ(counts.gpus.front().counts, sum({expected_counts(Mode::kProfile, "saxpy", 2, 64, 12),
                                             expected_counts(Mode::kProfile, "gemm", 1, 32, 1)}))
      << "what each of a graph's kernels did cannot be told, but is not lost";
  EXPECT_EQ(counts.gpus.front().launches, 5U);
  EXPECT_TRUE(counts.warnings.empty());
  ASSERT_EQ(counts.gpus.front().kernels.size(), 2U);
  for (const GpuKernelCounts& kernel : counts.gpus.front().kernels) {
    EXPECT_EQ(kernel.launches, kernel.name == "gemm" ? 1U : 4U);
    const GpuAmounts in_graph{{"saxpy", 3}};
    EXPECT_EQ(kernel.graph_kernels, kernel.name == "gemm" ? GpuAmounts{} : in_graph);
    EXPECT_EQ(kernel.counts, kernel.name == "gemm"
                                 ? expected_counts(Mode::kProfile, "gemm", 1, 32, 1)
                                 : expected_counts(Mode::kProfile, "saxpy", 2, 64, 12));
  }
}

/// The graphs of a profile, by what is in them: how often each was launched.
std::map<GpuAmounts, std::uint64_t> graphs_of(const InjectedRun& run) {
  std::map<GpuAmounts, std::uint64_t> graphs;
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  EXPECT_TRUE(counts.warnings.empty());
  for (const GpuKernelCounts& kernel : counts.gpus.front().kernels)
    if (kernel.name == "[graph]") graphs[kernel.graph_kernels] += kernel.launches;
  return graphs;
}

TEST(Injection, tells_which_kernels_are_in_a_graph_recorded_or_made_by_hand) {
  const InjectedRun run = run_injected({"context:0", "record:saxpy:2:64:3", "node:stage:1:32",
                                        "record:gemm:1:32:1", "ready", "play:4", "destroy"},
                                       kProfile);
  EXPECT_EQ(run.ended.code, 0) << run.ended.errors;
  EXPECT_EQ(graphs_of(run),
            (std::map<GpuAmounts, std::uint64_t>{{{{"gemm", 1}, {"saxpy", 3}, {"stage", 1}}, 4}}));
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  ASSERT_EQ(counts.gpus.front().kernels.size(), 1U);
  EXPECT_EQ(counts.gpus.front().kernels.front().counts,
            sum({expected_counts(Mode::kProfile, "saxpy", 2, 64, 12),
                 expected_counts(Mode::kProfile, "stage", 1, 32, 4),
                 expected_counts(Mode::kProfile, "gemm", 1, 32, 4)}));
}

TEST(Injection, tells_which_kernels_are_in_the_graphs_inside_a_graph) {
  const InjectedRun run = run_injected({"context:0", "record:saxpy:2:64:2", "nest",
                                        "record:gemm:1:32:1", "nest", "ready", "play:3", "destroy"},
                                       kProfile);
  EXPECT_EQ(run.ended.code, 0) << run.ended.errors;
  EXPECT_EQ(graphs_of(run),
            (std::map<GpuAmounts, std::uint64_t>{{{{"gemm", 1}, {"saxpy", 2}}, 3}}));
}

TEST(Injection, follows_what_becomes_of_a_graph) {
  const InjectedRun run = run_injected(
      {"context:0", "record:saxpy:1:32:2", "ready", "play:1", "replace:0:gemm", "play:2",
       "disable:1", "play:4", "drop", "ready", "play:8", "fresh", "record:stage:1:32:1", "update",
       "play:16", "replace:0:branchy", "play:32", "destroy"},
      kProfile);
  EXPECT_EQ(run.ended.code, 0) << run.ended.errors;
  EXPECT_EQ(graphs_of(run), (std::map<GpuAmounts, std::uint64_t>{{{{"saxpy", 2}}, 1 + 8},
                                                                 {{{"gemm", 1}, {"saxpy", 1}}, 2},
                                                                 {{{"gemm", 1}}, 4},
                                                                 {{{"stage", 1}}, 16},
                                                                 {{}, 32}}))
      << "which node a change means is not known after an update";
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  EXPECT_EQ(counts.gpus.front().counts.warp->instructions,
            18U * 20 + 2 * (97 + 20) + 4 * 97 + 16 * 31 + 32 * 1003);
}

TEST(Injection, does_not_know_a_graph_that_was_updated_after_a_node_was_switched_off) {
  const InjectedRun run = run_injected({"context:0", "record:saxpy:1:32:2", "ready", "disable:0",
                                        "play:1", "update", "play:2", "destroy"},
                                       kProfile);
  EXPECT_EQ(graphs_of(run), (std::map<GpuAmounts, std::uint64_t>{{{{"saxpy", 1}}, 1}, {{}, 2}}));
}

TEST(Injection, counts_graphs_of_which_the_driver_does_not_tell_what_is_in_them) {
  Injection injection = kProfile;
  injection.settings += " graphs=801";
  const InjectedRun run = run_injected({"context:0", "graph:saxpy:2:64:3:4", "exit:5"}, injection);
  EXPECT_EQ(run.ended.code, 5);
  EXPECT_EQ(graphs_of(run), (std::map<GpuAmounts, std::uint64_t>{{{}, 4}}));
  EXPECT_EQ(gpu_counts(run.files, Mode::kProfile).gpus.front().counts,
            expected_counts(Mode::kProfile, "saxpy", 2, 64, 12));
}

TEST(Injection, names_the_first_kernels_of_a_graph_of_very_many) {
  // A kernel of a name that the double does not know executes nothing.
  std::vector<std::string> words{"context:0"};
  for (int i = 0; i < 300; ++i) words.push_back("node:kernel" + std::to_string(1000 + i) + ":1:32");
  words.insert(words.end(), {"ready", "play:1", "destroy"});
  const auto graphs = graphs_of(run_injected(words, kProfile));
  ASSERT_EQ(graphs.size(), 1U);
  const GpuAmounts& kernels = graphs.begin()->first;
  EXPECT_EQ(kernels.size(), 201U);
  EXPECT_EQ(kernels.at("[others]"), 100U);
}

TEST(Injection, says_how_many_kernels_of_a_graph_found_no_room) {
  Injection injection = kProfile;
  injection.ranges = 7;
  const InjectedRun run = run_injected(
      {"context:0", "graph:saxpy:2:64:7:3", "graph:saxpy:2:64:9:2", "destroy"}, injection);
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  EXPECT_EQ(counts.gpus.front().dropped, 2U * 2);
  EXPECT_EQ(counts.gpus.front().counts, expected_counts(Mode::kProfile, "saxpy", 2, 64, 5 * 7));
  EXPECT_EQ(counts.gpus.front().quality, Quality::kPartial);
}

TEST(Injection, does_not_count_a_launch_that_the_driver_refuses) {
  for (const Mode mode : {Mode::kMeter, Mode::kProfile}) {
    Injection injection;
    injection.mode = mode;
    const InjectedRun run = run_injected(
        {"context:0", "launch:saxpy:1:32:1", "bad", "launch:gemm:1:32:1", "bad", "destroy"},
        injection);
    const RunCounts counts = gpu_counts(run.files, mode);
    EXPECT_EQ(counts.gpus.front().launches, 2U);
    EXPECT_EQ(counts.gpus.front().counted, 2U);
    EXPECT_TRUE(counts.warnings.empty());
  }
}

TEST(Injection, names_the_kernels_of_threads_that_launch_at_once) {
  Injection injection = kProfile;
  injection.ranges = 7;
  const InjectedRun run = run_injected(
      {"context:0", "threads:saxpy:1:32:200:4", "threads:gemm:2:32:100:4", "destroy"}, injection);
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  ASSERT_EQ(counts.gpus.front().kernels.size(), 2U);
  for (const GpuKernelCounts& kernel : counts.gpus.front().kernels)
    EXPECT_EQ(kernel.counts,
              expected_counts(Mode::kProfile, kernel.name, kernel.grid[0], 32, kernel.launches));
  EXPECT_EQ(counts.gpus.front().counted, 1200U);
}

TEST(Injection, gives_what_ran_inside_nvtx_ranges) {
  const InjectedRun run =
      run_injected({"context:0", "push:epoch", "launch:saxpy:1:32:2", "push:step",
                    "launch:gemm:1:32:3", "pop", "pop", "launch:stage:1:32:1", "destroy"},
                   kProfile);
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  ASSERT_EQ(counts.gpus.front().regions.size(), 2U);
  for (const GpuRegionCounts& region : counts.gpus.front().regions) {
    const bool outer = region.name == "epoch";
    EXPECT_EQ(region.launches, outer ? 5U : 3U) << region.name;
    EXPECT_EQ(region.counts.warp->instructions, outer ? 2U * 20 + 3 * 97 : 3U * 97);
  }
}

TEST(Injection, names_nvtx_ranges_by_their_registered_strings) {
  const InjectedRun run =
      run_injected({"context:0", "string:load", "string:train", "range:1", "launch:saxpy:1:32:2",
                    "pop", "range:7", "launch:gemm:1:32:3", "pop", "destroy"},
                   kProfile);
  const RunCounts counts = gpu_counts(run.files, Mode::kProfile);
  std::map<std::string, std::uint64_t> launches;
  for (const GpuRegionCounts& region : counts.gpus.front().regions)
    launches[region.name] = region.launches;
  EXPECT_EQ(launches, (std::map<std::string, std::uint64_t>{{"train", 2}, {"[unnamed]", 3}}));
}

TEST(Injection, keeps_what_it_fetched_before_the_process_was_killed) {
  for (const Mode mode : {Mode::kMeter, Mode::kProfile}) {
    Injection injection{.mode = mode, .interval_ms = 0};
    injection.ranges = 3;
    const InjectedRun run = run_injected(
        {"context:0", "launch:saxpy:1:32:9", "sync", "signal:9", "launch:gemm:1:32:1"}, injection);
    EXPECT_EQ(run.ended.signal, SIGKILL);
    ASSERT_EQ(run.files.size(), 1U);
    EXPECT_FALSE(run.files.front().ended);
    const RunCounts counts = gpu_counts(run.files, mode);
    EXPECT_EQ(counts.gpus.front().counts, expected_counts(mode, "saxpy", 1, 32, 9));
    EXPECT_EQ(counts.gpus.front().quality, Quality::kPartial);
    ASSERT_FALSE(counts.warnings.empty());
    EXPECT_EQ(counts.warnings.front().code, "gpu_not_flushed");
  }
}

TEST(Injection, lets_a_process_end_whose_gpu_does_not) {
  Injection injection;
  injection.settings += " hang=cuptiRangeProfilerDecodeData";
  const InjectedRun run = run_injected({"context:0", "launch:saxpy:1:32:9", "exit:3"}, injection);
  EXPECT_EQ(run.ended.code, 3);
  const RunCounts counts = gpu_counts(run.files, Mode::kMeter);
  EXPECT_EQ(counts.gpus.front().counted, 0U);
  EXPECT_EQ(counts.gpus.front().quality, Quality::kMissing);
}

struct Failure {
  std::string call;
  int code;
  Mode mode = Mode::kMeter;
};

void PrintTo(const Failure& failure, std::ostream* stream) {
  *stream << failure.call << "_" << failure.code << "_" << to_string(failure.mode);
}

class EveryFailure : public ::testing::TestWithParam<Failure> {};

TEST_P(EveryFailure, leaves_the_target_alone_and_is_told_once_with_its_code_and_reason) {
  const Failure& failure = GetParam();
  Injection injection;
  injection.mode = failure.mode;
  injection.settings += " fail=" + failure.call + ":" + std::to_string(failure.code);
  const InjectedRun run =
      run_injected({"context:0", "launch:saxpy:1:32:5", "sync", "destroy", "exit:7"}, injection);
  EXPECT_EQ(run.ended.code, 7);
  EXPECT_EQ(run.ended.output, "");
  EXPECT_EQ(run.ended.errors, "");
  ASSERT_EQ(run.files.size(), 1U);
  std::size_t told = 0;
  for (const WireFile::Problem& problem : run.files.front().problems) {
    if (problem.code != failure.code) continue;
    ++told;
    EXPECT_EQ(problem.call, failure.call);
    EXPECT_NE(describe(problem).find("CUPTI error " + std::to_string(failure.code)),
              std::string::npos);
  }
  EXPECT_EQ(told, 1U) << failure.call;
  const RunCounts counts = gpu_counts(run.files, failure.mode);
  const bool too_late_to_matter = failure.call.find("Disable") != std::string::npos ||
                                  failure.call.find("Deinitialize") != std::string::npos;
  EXPECT_EQ(counts.quality == Quality::kApproximate, too_late_to_matter)
      << "where something is missing, it is not as if all were counted";
}

std::vector<Failure> failures() {
  std::vector<Failure> all{
      {"cuptiSubscribe", 39},
      {"cuptiEnableCallback", 1},
      {"cuptiProfilerInitialize", 999},
      {"cuptiProfilerDeviceSupported", 2},
      {"cuptiDeviceGetChipName", 2},
      {"cuptiProfilerGetCounterAvailability", 26},
      {"cuptiProfilerHostInitialize", 15},
      {"cuptiProfilerHostConfigAddMetrics", 17},
      {"cuptiProfilerHostGetConfigImageSize", 999},
      {"cuptiProfilerHostGetConfigImage", 999},
      {"cuptiProfilerHostGetNumOfPasses", 999},
      {"cuptiRangeProfilerEnable", 35},
      {"cuptiRangeProfilerGetCounterDataSize", 8},
      {"cuptiRangeProfilerCounterDataImageInitialize", 7},
      {"cuptiRangeProfilerSetConfig", 1},
      {"cuptiRangeProfilerStart", 26},
      {"cuptiRangeProfilerPushRange", 7},
      {"cuptiRangeProfilerPopRange", 7},
      {"cuptiRangeProfilerStop", 7},
      {"cuptiRangeProfilerDecodeData", 999},
      {"cuptiRangeProfilerGetCounterDataInfo", 999},
      {"cuptiProfilerHostEvaluateToGpuValues", 17},
      {"cuptiRangeProfilerDisable", 1},
      {"cuptiProfilerHostDeinitialize", 1},
      {"cuptiRangeProfilerDecodeData", 999, Mode::kProfile},
      {"cuptiRangeProfilerSetConfig", 1, Mode::kProfile},
  };
  // What CUPTI says of a machine: the reasons that the facts name.
  for (const int code : {9, 14, 27, 31, 33, 34, 36, 38, 40, 41, 42, 43, 44, 45})
    all.push_back({"cuptiRangeProfilerEnable", code});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Cupti, EveryFailure, ::testing::ValuesIn(failures()),
                         [](const auto& test) { return ::testing::PrintToString(test.param); });

TEST(Injection, keeps_the_counts_from_before_a_failure) {
  Injection injection{.interval_ms = 0};
  injection.settings += " fail=cuptiRangeProfilerDecodeData:999@3";
  const InjectedRun run = run_injected({"context:0", "launch:saxpy:1:32:8", "exit:5"}, injection);
  EXPECT_EQ(run.ended.code, 5);
  const RunCounts counts = gpu_counts(run.files, Mode::kMeter);
  EXPECT_EQ(counts.gpus.front().counts, expected_counts(Mode::kMeter, "saxpy", 1, 32, 2));
  EXPECT_EQ(counts.gpus.front().launches, 8U);
  EXPECT_EQ(counts.gpus.front().quality, Quality::kPartial);
  EXPECT_EQ(codes(run), std::set<std::int32_t>{999});
}

TEST(Injection, names_the_tool_that_holds_cupti) {
  Injection injection;
  injection.settings += " holder=Nsight";
  const InjectedRun run = run_injected({"context:0", "launch:saxpy:1:32:1", "exit:2"}, injection);
  EXPECT_EQ(run.ended.code, 2);
  ASSERT_EQ(run.files.front().problems.size(), 1U);
  EXPECT_EQ(run.files.front().problems.front().code, 39);
  EXPECT_NE(describe(run.files.front().problems.front()).find("CUPTI for Nsight"),
            std::string::npos);
}

TEST(Injection, tells_why_a_device_is_not_supported) {
  for (const auto& [field, code] : std::map<std::string, std::int32_t>{{"confidentialCompute", 41},
                                                                       {"vGpu", 33},
                                                                       {"sli", 44},
                                                                       {"cmp", 42},
                                                                       {"wsl", 45},
                                                                       {"architecture", 27}}) {
    Injection injection;
    injection.settings += " unsupported=" + field;
    const InjectedRun run = run_injected({"context:0", "launch:saxpy:1:32:1"}, injection);
    EXPECT_EQ(run.ended.code, 0);
    EXPECT_EQ(codes(run), std::set<std::int32_t>{code}) << field;
  }
}

TEST(Injection, tells_of_a_chip_that_cupti_or_the_plan_does_not_know) {
  const InjectedRun newer =
      run_injected({"context:0", "launch:saxpy:1:32:1"}, {.settings = "chip=GX999"});
  EXPECT_EQ(codes(newer), std::set<std::int32_t>{46}) << "the real library says so";
  const InjectedRun older =
      run_injected({"context:0", "launch:saxpy:1:32:1"}, {.settings = "chip=GV100"});
  ASSERT_EQ(older.files.front().problems.size(), 1U);
  EXPECT_NE(describe(older.files.front().problems.front()).find("no metric set for the chip GV100"),
            std::string::npos);
}

TEST(Injection, tells_that_cupti_cannot_be_loaded) {
  const InjectedRun run = run_injected({"context:0", "launch:saxpy:1:32:1", "exit:6"},
                                       {.cupti = "/nonexistent/libcupti.so.13"});
  EXPECT_EQ(run.ended.code, 6);
  ASSERT_EQ(run.files.front().problems.size(), 1U);
  EXPECT_EQ(run.files.front().problems.front().call, "dlopen");
}

TEST(Injection, leaves_out_the_last_metric_where_the_gpu_has_too_few_counters_free) {
  Injection injection;
  injection.settings += " crowded=1";
  const InjectedRun run = run_injected({"context:0", "launch:saxpy:1:32:2", "destroy"}, injection);
  ASSERT_FALSE(run.files.front().problems.empty());
  EXPECT_NE(describe(run.files.front().problems.front()).find("is left out"), std::string::npos);
  const RunCounts counts = gpu_counts(run.files, Mode::kMeter);
  EXPECT_EQ(counts.gpus.front().counts.warp, expected_counts(Mode::kMeter, "saxpy", 1, 32, 2).warp);
  EXPECT_TRUE(counts.gpus.front().counts.tensor_instructions.empty());
}

TEST(Injection, exports_its_entry_alone_and_needs_nothing_of_nvidia) {
  const auto exported = harness::run({"nm", "-D", "--defined-only", cuda_double::injection()});
  if (exported.code != 0) GTEST_SKIP() << "there is no nm here";
  EXPECT_NE(exported.output.find(" T InitializeInjection\n"), std::string::npos);
  EXPECT_EQ(std::count(exported.output.begin(), exported.output.end(), '\n'), 1) << exported.output;
  const auto needed = harness::run({"objdump", "-p", cuda_double::injection()});
  EXPECT_EQ(needed.output.find("libcu"), std::string::npos) << needed.output;
}

}  // namespace
}  // namespace bops::cuda

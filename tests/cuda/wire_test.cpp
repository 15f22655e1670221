// Reading the files of the library inside the target: bytes from outside.
#include "collectors/cuda/wire.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "collectors/cuda/device_rows.hpp"
#include "collectors/cuda/wire_reader.hpp"
#include "tests/cuda/wire_sample.hpp"

namespace bops::cuda {
namespace {

using wire_sample::Sample;

/// One process, one context with the meter's metrics, 5 launches.
Sample metered() {
  Sample sample;
  sample.process(100, 1, "/bin/app").context(1, "GH100", Mode::kMeter);
  sample.counts(1, 5, "", {1000, 200, 100, 50}).launches(1, 5, 0).end();
  return sample;
}

TEST(Wire, brings_back_what_was_written) {
  const auto file = read_wire(metered().bytes());
  ASSERT_TRUE(file);
  EXPECT_EQ(file->pid, 100);
  EXPECT_EQ(file->executable, "/bin/app");
  ASSERT_EQ(file->contexts.size(), 1U);
  EXPECT_EQ(file->contexts[0].launches, 5U);
  ASSERT_EQ(file->counts.size(), 1U);
  EXPECT_EQ(file->counts[0].values, (std::vector<double>{1000, 200, 100, 50}));
  EXPECT_TRUE(file->ended);
  EXPECT_FALSE(file->cut_short);
  EXPECT_EQ(file->malformed, 0U);
}

TEST(Wire, gives_every_record_before_the_place_where_the_file_was_cut) {
  const std::string whole = metered().bytes();
  std::size_t readable = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto file = read_wire(std::string_view(whole).substr(0, size));
    if (!file) continue;
    ++readable;
    EXPECT_FALSE(file->ended);
    EXPECT_EQ(file->malformed, 0U) << size;
  }
  EXPECT_GT(readable, 100U);
}

TEST(Wire, passes_over_records_that_contradict_those_before) {
  Sample sample;
  sample.process(100, 1, "").context(1, "GH100", Mode::kMeter);
  sample.context(1, "GH100", Mode::kMeter);  // again
  sample.counts(2, 1, "", {1, 2, 3, 4});     // of no context
  sample.counts(1, 1, "", {1, 2, 3});        // a value too few
  sample.process(101, 1, "");                // another process
  sample.counts(1, 1, "", {1, 2, 3, 4}).end();
  const auto file = read_wire(sample.bytes());
  ASSERT_TRUE(file);
  EXPECT_EQ(file->malformed, 4U);
  EXPECT_EQ(file->pid, 100);
  EXPECT_EQ(file->counts.size(), 1U);
  const RunCounts counts = gpu_counts({*file}, Mode::kMeter);
  ASSERT_FALSE(counts.warnings.empty());
  EXPECT_EQ(counts.warnings.front().code, "gpu_counts_damaged");
  EXPECT_EQ(counts.gpus.front().quality, Quality::kPartial);
}

TEST(Wire, tells_graphs_of_other_kernels_apart) {
  Sample sample;
  sample.process(100, 1, "").context(1, "GH100", Mode::kProfile);
  const std::vector<double> ones(sample.metrics(), 1);
  sample.graph(1, {{"saxpy", 3}, {"gemm", 1}}).graph(2, {{"saxpy", 4}});
  sample.graph(2, {{"gemm", 4}});  // again
  sample.graph(0, {{"gemm", 4}});  // no id
  sample.counts(1, 2, "[graph]", ones, 1).counts(1, 3, "[graph]", ones, 2);
  sample.counts(1, 4, "[graph]", ones, 0).counts(1, 5, "[graph]", ones, 1);
  sample.counts(1, 6, "[graph]", ones, 3);  // of no graph
  const auto file = read_wire(sample.launches(1, 14, 0).end().bytes());
  ASSERT_TRUE(file);
  EXPECT_EQ(file->malformed, 3U);
  const RunCounts counts = gpu_counts({*file}, Mode::kProfile);
  std::map<GpuAmounts, std::uint64_t> launches;
  for (const GpuKernelCounts& kernel : counts.gpus.front().kernels)
    launches[kernel.graph_kernels] = kernel.launches;
  EXPECT_EQ(launches, (std::map<GpuAmounts, std::uint64_t>{
                          {{{"gemm", 1}, {"saxpy", 3}}, 7}, {{{"saxpy", 4}}, 3}, {{}, 4}}));
}

TEST(Wire, refuses_what_is_no_such_file) {
  EXPECT_FALSE(read_wire(""));
  EXPECT_FALSE(read_wire("BOPSGPU1 and more"));
  EXPECT_FALSE(read_wire(Sample().bytes())) << "it names no process";
}

TEST(DeviceRows, add_the_processes_of_a_gpu_up_and_take_the_poorest_quality) {
  const auto whole = read_wire(metered().bytes());
  Sample killed;
  killed.process(200, 100, "").context(1, "GH100", Mode::kMeter);
  killed.counts(1, 2, "", {10, 2, 1, 0}).launches(1, 3, 0);
  const auto cut = read_wire(killed.bytes());
  const RunCounts counts = gpu_counts({*whole, *cut}, Mode::kMeter);
  ASSERT_EQ(counts.gpus.size(), 1U);
  const GpuDeviceCounts& gpu = counts.gpus.front();
  EXPECT_EQ(gpu.counts.warp->instructions, 1010U);
  EXPECT_EQ(gpu.launches, 8U);
  EXPECT_EQ(gpu.counted, 7U);
  EXPECT_EQ(gpu.processes, (std::vector<pid_t>{100, 200}));
  EXPECT_EQ(gpu.quality, Quality::kPartial);
}

TEST(DeviceRows, bound_the_rows_of_a_program_that_makes_kernels_as_it_goes) {
  Sample sample;
  sample.process(100, 1, "").context(1, "GH100", Mode::kProfile);
  const std::size_t metrics = sample.metrics();
  for (int i = 0; i < 10'100; ++i)
    sample.counts(1, 1, "kernel" + std::to_string(i), std::vector<double>(metrics, 1));
  sample.launches(1, 10'100, 0).end();
  const auto file = read_wire(sample.bytes());
  const RunCounts counts = gpu_counts({*file}, Mode::kProfile);
  const GpuDeviceCounts& gpu = counts.gpus.front();
  ASSERT_EQ(gpu.kernels.size(), 10'001U);
  EXPECT_EQ(gpu.kernels.back().name, "[others]");
  EXPECT_EQ(gpu.kernels.back().launches, 100U);
  EXPECT_EQ(gpu.counts.warp->instructions, 10'100U);
}

}  // namespace
}  // namespace bops::cuda

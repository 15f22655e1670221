#include "sample_records.hpp"

#include <csignal>
#include <limits>

#include "report/missing.hpp"
#include "report/repeat.hpp"

namespace bops::samples {
namespace {

/// 2000 instructions of which 1200 are formula BOPs, `scale` times.
Counts counts_of(std::uint64_t scale) {
  return {InstructionCounts{2000, 400, 150, 250}.times(scale),
          Operations{700, 200, 300}.times(scale),
          InstructionClasses{250, 300, 100, 50, 200, 700, 400}.times(scale)};
}

HostIdentity host() {
  return {"box",
          "Linux 6.1.0-18-amd64 x86_64",
          {"GenuineIntel", 6, 85, 7, "Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz"}};
}

}  // namespace

RunRecord decoded_run() {
  RunRecord record;
  record.tool_version = "0.1.0";
  record.command = {"./sort", "-n", "1000000", "two words"};
  record.started = "2026-01-02T03:04:05Z";
  record.wall_ns = 1'234'567'890;
  record.exit.code = 3;
  record.host = host();
  record.collectors = {{"qemu", "QEMU user-mode emulation", "retired_instructions", "user",
                        "in_target", "emulated"}};
  record.labels = {{"build", "O2"}, {"input", "random keys"}};
  record.time_is_the_targets = false;
  record.resource_usage = ResourceUsage{1'200'000'000, 30'000'000, 12'902'400, 1234, 5, 6, 789};
  RunCounts& counts = record.counts;
  counts.quality = Quality::kPartial;
  counts.processes = {{4711, 4700, "/home/user/sort", true, "", 0, 1'234'000'000, counts_of(6000)},
                      {4713, 4711, "/usr/bin/sudo", false, "it is set-user-ID", 500'000, {}, {}}};
  counts.threads = {
      {4711, 4711, "sort", 0, 1'234'000'000, "qemu", counts_of(5000)},
      {4711, 4712, "worker 1", 1'000'000, 2'000'000, "qemu", counts_of(999)},
      {4711, 4712, "worker 2", 3'000'000, std::nullopt, "qemu", counts_of(1)},
  };
  counts.threads[0].work = {{"requests", 4}, {"tokens", 128}};
  counts.threads[1].work = {{"tokens", 64}};
  // `decode` is nested in `request`, and does all of the tokens.
  counts.regions = {{"request", 4711, 4711, 0, 4, counts.threads[0].work, counts_of(4000)},
                    {"decode", 4711, 4711, 0, 128, {{"tokens", 128}}, counts_of(3200)},
                    {"decode", 4711, 4712, 1'000'000, 64, {{"tokens", 64}}, counts_of(900)},
                    {"idle", 4711, 4712, 3'000'000, 1, {}, counts_of(0)}};
  counts.images = {{"/usr/lib/libc.so.6", "00ff12", counts_of(1000)},
                   {"/home/user/sort", "", counts_of(5000)}};
  // One image has more formula BOPs, the other more decoded operations.
  counts.images[0].counts.operations->integer += 3'000'000;
  counts.images[1].counts.operations->integer -= 3'000'000;
  counts.functions = {{"/home/user/sort", "partition(int*, int*)", counts_of(3000)},
                      {"/home/user/sort", "[unknown]", counts_of(2000)},
                      {"/usr/lib/libc.so.6", "memcpy", counts_of(1000)}};
  counts.functions[0].counts.operations->integer -= 1'700'000;
  counts.functions[1].counts.operations->integer -= 1'300'000;
  counts.functions[2].counts.operations->integer += 3'000'000;
  record.warnings = {{"process_not_counted", "1 process ran uncounted"}};
  explain_missing_numbers(record);
  return record;
}

RunRecord hardware_run() {
  RunRecord record = decoded_run();
  record.exit = {std::nullopt, SIGSEGV};
  record.collectors = {
      {"pmu", "hardware counters", "retired_instructions", "user", "kernel", "native"}};
  record.time_is_the_targets = true;
  record.cycles = 3'000'000;
  record.wall_ns = 2'000'000'000;
  RunCounts& counts = record.counts;
  counts.quality = Quality::kExact;
  counts.processes.pop_back();
  counts.images.clear();
  counts.functions.clear();
  counts.regions.clear();
  for (ThreadCounts& thread : counts.threads) {
    thread.via = "papi";
    thread.counts = {thread.counts.instructions, {}, {}};
    thread.work.clear();
  }
  counts.processes[0].counts = counts.totals();
  record.warnings.clear();
  explain_missing_numbers(record);
  RunRecord other = record;
  other.wall_ns += 4;
  other.counts.threads[0].counts.instructions.total += 300'000;
  record.repeat = summarise(std::vector<RunRecord>{record, other});
  record.counts.operations_estimate = OperationsEstimate{
      3'400,
      {{"FP_ARITH_INST_RETIRED:SCALAR", "scalar; an FMA counts twice", 1, 3'000, 3'000},
       {"r10c7", "256-bit packed double; an FMA counts twice", 4, 100, 400}},
      1};
  SampledFunctions sampled;
  sampled.period = 10'007;
  sampled.lost = 3;
  sampled.threads_without = 1;
  sampled.skidding = {"instructions"};
  sampled.functions = {
      {"/home/user/sort", "00ff13", "sort<int>(int*, int*)", {900, 200, 80, 100}, {}},
      {"/usr/lib/libc.so.6", "", "[unknown]", {10, 2, 0, 1}, {}}};
  for (SampledFunction& function : sampled.functions)
    function.estimate = estimate_of(function.samples, sampled.all(), sampled.period);
  record.counts.sampled = std::move(sampled);
  record.calibrated = CalibratedEstimate{7'560'000, 0.0525, "sort calibration.json", "00ff13"};
  return record;
}

RunRecord missing_run() {
  RunRecord record;
  record.tool_version = "0.1.0";
  record.started = "2026-01-02T03:04:05Z";
  record.host.name = "box";
  explain_missing_numbers(record);
  return record;
}

RunRecord hostile_run() {
  RunRecord record = decoded_run();
  const std::string hostile = "\x1b[31m\x07\xff\xc3\xa9\xc2\x9b\xe2\x80\xae\r\n,\"'`|<b>&*_\\x41$";
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  record.command = {hostile, ""};
  record.labels = {{hostile, hostile}};
  record.host.name = hostile;
  record.host.kernel = hostile;
  record.host.cpu.name = hostile;
  record.collectors[0].title = hostile;
  RunCounts& counts = record.counts;
  counts.processes = {{1, 0, hostile, true, hostile, 0, kMost, {}},
                      {2, 1, hostile, false, hostile, 0, {}, {}}};
  // More loads, stores and branches than instructions: the formula is -600.
  counts.threads = {{1, 2, hostile, 0, {}, hostile, {{1000, 600, 500, 500}, {}, {}}},
                    {1, 3, hostile, kMost, kMost, "qemu", {{0, 0, 0, 0}, {{kMost, 0, 0}}, {}}}};
  counts.threads[0].counts.operations = Operations{};
  counts.processes[0].counts = counts.totals();
  counts.images = {{hostile, "", counts.totals()}};
  counts.functions = {{hostile, hostile, counts.totals()}};
  counts.threads[0].work = {{hostile, kMost}};
  counts.regions = {{hostile, 1, 2, 0, kMost, {{hostile, kMost}, {"", 0}}, counts.totals()},
                    {std::string(255, '\0'), 1, 3, kMost, 0, {}, {}}};
  counts.regions[1].counts = Counts::exact_zero();
  record.cycles = kMost;
  record.wall_ns = kMost;
  record.warnings = {{"odd_name", hostile}};
  explain_missing_numbers(record);
  return record;
}

namespace {

GpuMetricSet metric_set() {
  return {"warp",
          "The formula, in warp instructions",
          "BOPs = instructions - loads - stores - branches",
          "LDG, LDS",
          "STG, STS",
          "BRA, not EXIT",
          {"constant loads"},
          {"a generic ST twice"},
          2,
          Quality::kApproximate,
          {"smsp__sass_inst_executed.sum", "smsp__sass_inst_executed_op_ld.sum"}};
}

GpuCounts gpu_counts(std::uint64_t scale) {
  GpuCounts counts;
  counts.warp = GpuFormulaCounts{1000 * scale, 200 * scale, 100 * scale, 300 * scale, 50 * scale};
  counts.thread = GpuFormulaCounts{32000 * scale, {}, {}, 9600 * scale, 1600 * scale};
  counts.operations = {{"fp32", 640 * scale}, {"integer", 320 * scale}};
  counts.instructions = {{"integer", 320 * scale}};
  counts.tensor_instructions = {{"tensor_pipe", 16 * scale}};
  counts.tensor_operations = {{"fp16_dst_fp32", 65536 * scale}};
  counts.beside = {{"atomics", scale}};
  counts.duration_ns = 1000 * scale;
  return counts;
}

}  // namespace

RunRecord gpu_run() {
  RunRecord record = decoded_run();
  record.collectors[0].name = "native";
  record.collectors.push_back(
      {"cuda", "NVIDIA GPUs", "gpu_instructions", "user", "in_target", "native"});
  record.counts.instruments = {{"/opt/cuda/lib/libcupti.so.13", "00ff14", counts_of(7)}};
  GpuDeviceCounts gpu;
  gpu.index = 1;
  gpu.name = "NVIDIA H100 80GB HBM3";
  gpu.chip = "GH100";
  gpu.uuid = "GPU-01234567-89ab-cdef-0123-456789abcdef";
  gpu.mode = "profile";
  gpu.passes = 2;
  gpu.sets = {metric_set()};
  gpu.sets[0].passes = 0;  // not in a run's record
  gpu.processes = {4711, 4713};
  gpu.launches = 13;
  gpu.counted = 10;
  gpu.dropped = 2;
  gpu.counts = gpu_counts(10);
  gpu.kernels = {
      {4711, "_Z5saxpyifPKfPf", {16, 1, 1}, {256, 1, 1}, 7, gpu_counts(7)},
      {4713, "gemm<\x1b[31m>", {8, 2, 1}, {96, 1, 1}, 2, gpu_counts(2)},
      {4713, "[graph]", {}, {}, 1, gpu_counts(1), {{"gemm<\x1b[31m>", 4}, {"saxpy", 2}}}};
  gpu.regions = {{4711, "epoch | 1", 7, gpu_counts(7)}};
  gpu.quality = Quality::kPartial;
  record.counts.gpus = {gpu};
  explain_missing_numbers(record);
  return record;
}

IntervalRecord interval() {
  IntervalRecord interval;
  interval.index = 7;
  interval.start_ns = 3'500'000'000;
  interval.end_ns = 4'000'000'000;
  interval.totals = counts_of(3);
  interval.threads = {{4711, 4711, "sort\x1b", 0, std::nullopt, "qemu", counts_of(3)}};
  interval.threads[0].work = {{"tokens", 3}};
  GpuDeviceCounts gpu;
  gpu.name = "NVIDIA H100 80GB HBM3";
  gpu.chip = "GH100";
  gpu.uuid = "GPU-01234567-89ab-cdef-0123-456789abcdef";
  gpu.mode = "meter";
  gpu.launches = gpu.counted = 7;
  gpu.counts = gpu_counts(7);
  gpu.quality = Quality::kApproximate;
  interval.gpus = {gpu};
  interval.quality = Quality::kExact;
  return interval;
}

GpuChipReport chip_report() {
  return {"GH100",
          "Hopper",
          {"9.0"},
          {{metric_set(), false, true}},
          1,
          2,
          {{"inst_executed", "smsp__inst_executed.sum"}}};
}

}  // namespace bops::samples

#include "report/csv.hpp"

#include <cmath>
#include <span>
#include <string_view>

#include "model/bops.hpp"
#include "report/escape.hpp"
#include "report/gpu_tables.hpp"

namespace bops {
namespace {

constexpr std::string_view kHeader =
    "scope,pid,tid,name,via,start_ns,end_ns,instructions,loads,stores,branches,bops_formula,"
    "integer,floating_point,address,operations_total,quality,image,entries,work,standard_error\r\n";

/// What a row says but for its counts; empty where it does not apply.
struct RowHead {
  std::string_view scope;
  std::string pid;
  std::string tid;
  std::string name;
  std::string via;
  std::string start_ns;
  std::string end_ns;
};

std::string cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + '"';
}

/// "tokens=128;images=2"
std::string work_text(const Work& work) {
  std::string text;
  for (const auto& [unit, amount] : work)
    text += (text.empty() ? "" : ";") + printable(unit) + '=' + std::to_string(amount);
  return text;
}

/// What only some scopes have.
struct RowTail {
  std::string image{};    ///< where a function lies
  std::string entries{};  ///< of a region
  std::string work{};
  std::string standard_error{};  ///< of an estimated bops_formula
};

std::string row(const RowHead& head, const Counts& counts, Quality quality,
                const RowTail& tail = {}) {
  std::string line(head.scope);
  const auto add = [&line](std::string_view text) { line += ',' + cell(text); };
  for (const std::string* text :
       {&head.pid, &head.tid, &head.name, &head.via, &head.start_ns, &head.end_ns})
    add(*text);
  const bool measured = quality != Quality::kMissing;
  const InstructionCounts& instructions = counts.instructions;
  for (const std::uint64_t count :
       {instructions.total, instructions.loads, instructions.stores, instructions.branches})
    add(measured ? std::to_string(count) : "");
  add(measured ? std::to_string(bops_formula(instructions)) : "");
  const bool decoded = measured && counts.operations;
  const Operations operations = counts.operations.value_or(Operations{});
  for (const std::uint64_t count :
       {operations.integer, operations.floating_point, operations.address, operations.total()})
    add(decoded ? std::to_string(count) : "");
  add(to_string(quality));
  add(tail.image);
  add(tail.entries);
  add(tail.work);
  add(tail.standard_error);
  return line + "\r\n";
}

/// What the samples of a function stand for.
std::string sampled_row(const SampledFunctions& sampled, const SampledFunction& function) {
  const auto events = [&](std::size_t event) {
    return function.samples.at(event) * sampled.period;
  };
  Counts counts;
  counts.instructions = {events(0), events(1), events(2), events(3)};
  return row({"sampled", "", "", printable(function.name), "", "", ""}, counts,
             Quality::kApproximate,
             {.image = printable(function.image),
              .standard_error = std::to_string(std::llround(function.estimate.standard_error))});
}

std::string time_text(const std::optional<std::uint64_t>& time_ns) {
  return time_ns ? std::to_string(*time_ns) : "";
}

/// Counts of a GPU are those of its warps.
std::string gpu_row(const RowHead& head, const GpuCounts& counts, std::uint64_t launches,
                    Quality quality, const std::string& device) {
  std::string line(head.scope);
  const auto add = [&line](std::string_view text) { line += ',' + cell(text); };
  const auto number = [&add](std::optional<std::uint64_t> value) {
    add(value ? std::to_string(*value) : "");
  };
  for (const std::string* text :
       {&head.pid, &head.tid, &head.name, &head.via, &head.start_ns, &head.end_ns})
    add(*text);
  const GpuFormulaCounts warp = counts.warp.value_or(GpuFormulaCounts{});
  add(counts.warp ? std::to_string(warp.instructions) : "");
  number(warp.loads);
  number(warp.stores);
  add(counts.warp ? std::to_string(warp.branches) : "");
  add(counts.warp ? std::to_string(bops_formula(warp)) : "");
  const auto integer = counts.operations.find("integer");
  add(integer != counts.operations.end() ? std::to_string(integer->second) : "");
  for (int column = 0; column < 3; ++column) add("");
  add(counts.warp ? to_string(quality) : to_string(Quality::kMissing));
  add(device);
  add(std::to_string(launches));
  add("");
  return line + "\r\n";
}

std::string gpu_rows(const GpuDeviceCounts& gpu) {
  const std::string device = printable(gpu.uuid);
  std::string text = gpu_row({"gpu", "", "", printable(gpu.name), "cuda", "", ""}, gpu.counts,
                             gpu.counted, gpu.quality, device);
  for (const GpuKernelCounts& kernel : gpu.kernels)
    text += gpu_row({"gpu_kernel", std::to_string(kernel.pid), "",
                     kernel_text(kernel, kernel.graph_kernels.size()), "cuda", "", ""},
                    kernel.counts, kernel.launches, gpu.quality, device);
  for (const GpuRegionCounts& region : gpu.regions)
    text += gpu_row(
        {"gpu_region", std::to_string(region.pid), "", printable(region.name), "cuda", "", ""},
        region.counts, region.launches, gpu.quality, device);
  return text;
}

}  // namespace

std::string render_csv(const RunRecord& record, const RenderOptions& /*options*/) {
  const RunCounts& counts = record.counts;
  std::string text(kHeader);
  const std::string command = record.command ? shell_quoted(std::span(*record.command)) : "";
  text += row({"run", "", "", command, "", "0", std::to_string(record.wall_ns)}, counts.totals(),
              counts.quality, {.work = work_text(counts.total_work())});
  for (const ProcessCounts& process : counts.processes)
    text += row({"process", std::to_string(process.pid), "", printable(process.executable), "",
                 std::to_string(process.start_ns), time_text(process.end_ns)},
                process.counts, process.counted ? counts.quality : Quality::kMissing);
  for (const ThreadCounts& thread : counts.threads)
    text += row(
        {"thread", std::to_string(thread.pid), std::to_string(thread.tid), printable(thread.name),
         printable(thread.via), std::to_string(thread.start_ns), time_text(thread.end_ns)},
        thread.counts, thread.counted ? counts.quality : Quality::kMissing,
        {.work = work_text(thread.work)});
  for (const ImageCounts& image : counts.images)
    text += row({"image", "", "", printable(image.path), "", "", ""}, image.counts, counts.quality);
  for (const FunctionCounts& function : counts.functions)
    text += row({"function", "", "", printable(function.name), "", "", ""}, function.counts,
                counts.quality, {.image = printable(function.image)});
  if (counts.sampled)
    for (const SampledFunction& function : counts.sampled->functions)
      text += sampled_row(*counts.sampled, function);
  for (const RegionCounts& region : counts.regions)
    text += row({"region", std::to_string(region.pid), std::to_string(region.tid),
                 printable(region.name), "", "", ""},
                region.counts, region.counted ? counts.quality : Quality::kMissing,
                {.entries = std::to_string(region.entries), .work = work_text(region.work)});
  for (const ImageCounts& image : counts.instruments)
    text += row({"instrument", "", "", printable(image.path), "", "", ""}, image.counts,
                counts.quality);
  for (const GpuDeviceCounts& gpu : counts.gpus) text += gpu_rows(gpu);
  return text;
}

}  // namespace bops

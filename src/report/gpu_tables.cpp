#include "report/gpu_tables.hpp"

#include <algorithm>
#include <numeric>

#include "model/bops.hpp"
#include "report/escape.hpp"
#include "report/gpu_json.hpp"
#include "report/lists.hpp"
#include "report/number_text.hpp"

namespace bops {
namespace {

constexpr const char* kNotMeasured = "not measured";
constexpr std::size_t kMostNames = 3;  ///< of a graph's kernels in a table

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
  return text;
}

std::string formula_text(const std::optional<GpuFormulaCounts>& counts) {
  return counts ? grouped(bops_formula(*counts)) : kNotMeasured;
}

/// "fp16_dst_fp32" as people read it.
std::string kind_text(std::string kind) {
  std::replace(kind.begin(), kind.end(), '_', ' ');
  return printable(kind);
}

void add_level(Table& table, const char* level, const std::optional<GpuFormulaCounts>& counts) {
  const std::string name(level);
  if (!counts) {
    table.rows.push_back({"formula BOPs, " + name, kNotMeasured});
    return;
  }
  const auto add = [&table](std::string label, std::uint64_t value) {
    table.rows.push_back({std::move(label), grouped(value)});
  };
  add(name + " instructions", counts->instructions);
  if (counts->loads) add("loads", *counts->loads);
  if (counts->stores) add("stores", *counts->stores);
  if (!counts->loads || !counts->stores) add("loads and stores", counts->loads_and_stores);
  add("branches", counts->branches);
  const std::int64_t bops = bops_formula(*counts);
  table.rows.push_back(
      {"formula BOPs, " + name, grouped(bops), with_prefix(static_cast<double>(bops), "BOP")});
}

void add_amounts(Table& table, const std::string& label, const GpuAmounts& amounts) {
  for (const auto& [kind, count] : amounts)
    table.rows.push_back({label + kind_text(kind), grouped(count)});
}

Table headline(const GpuDeviceCounts& gpu) {
  Table table{"GPU " + std::to_string(gpu.index) + ": " + printable(gpu.name) + " (" +
                  printable(gpu.chip) + ", " + printable(gpu.uuid) + ")",
              printable(gpu.mode) + ", " + std::to_string(gpu.passes) +
                  (gpu.passes == 1 ? " pass, " : " passes, ") + std::string(to_string(gpu.quality)),
              {{"", false, 24}, {"", true, 20}, {"", false}},
              {}};
  table.rows.push_back({"launches", grouped(gpu.launches),
                        gpu.counted == gpu.launches ? "" : grouped(gpu.counted) + " counted"});
  if (gpu.dropped > 0) table.rows.push_back({"dropped launches", grouped(gpu.dropped)});
  add_level(table, "warp", gpu.counts.warp);
  add_level(table, "thread", gpu.counts.thread);
  add_amounts(table, "tensor instructions, ", gpu.counts.tensor_instructions);
  add_amounts(table, "tensor operations, ", gpu.counts.tensor_operations);
  add_amounts(table, "operations, ", gpu.counts.operations);
  add_amounts(table, "beside, ", gpu.counts.beside);
  if (gpu.counts.duration_ns)
    table.rows.push_back({"time in kernels", duration_text(*gpu.counts.duration_ns)});
  return table;
}

std::string size_text(const std::array<std::uint32_t, 3>& size) {
  return std::to_string(size[0]) + "x" + std::to_string(size[1]) + "x" + std::to_string(size[2]);
}

std::int64_t formula_of(const GpuCounts& counts) {
  return counts.warp ? bops_formula(*counts.warp) : 0;
}

std::string time_text(const GpuCounts& counts) {
  return counts.duration_ns ? duration_text(*counts.duration_ns) : kNotMeasured;
}

std::string tensor_text(const GpuCounts& counts) {
  if (counts.tensor_instructions.empty()) return kNotMeasured;
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : counts.tensor_instructions) sum += count;
  return grouped(sum);
}

template <class Rows>
std::vector<std::size_t> largest_first(const Rows& rows) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&rows](std::size_t a, std::size_t b) {
    return formula_of(rows[a].counts) > formula_of(rows[b].counts);
  });
  return order;
}

Table kernel_table(const GpuDeviceCounts& gpu) {
  Table table{"Kernels of GPU " + std::to_string(gpu.index) + ", by formula BOPs of warps",
              "",
              {{"BOPs, warp"},
               {"BOPs, thread"},
               {"tensor instr."},
               {"launches"},
               {"time"},
               {"grid", false},
               {"block", false},
               {"kernel", false}},
              {}};
  for (const std::size_t index : largest_first(gpu.kernels)) {
    const GpuKernelCounts& kernel = gpu.kernels[index];
    if (table.rows.size() >= kLongestList) {
      table.note = "the first " + std::to_string(kLongestList) + " of " +
                   std::to_string(gpu.kernels.size()) + "; the JSON and CSV formats have all";
      break;
    }
    table.rows.push_back({formula_text(kernel.counts.warp), formula_text(kernel.counts.thread),
                          tensor_text(kernel.counts), grouped(kernel.launches),
                          time_text(kernel.counts), size_text(kernel.grid), size_text(kernel.block),
                          kernel_text(kernel, kMostNames)});
  }
  return table;
}

Table region_rows(const GpuDeviceCounts& gpu) {
  Table table{"NVTX ranges on GPU " + std::to_string(gpu.index),
              "ranges overlap where they are nested",
              {{"BOPs, warp"},
               {"BOPs, thread"},
               {"tensor instr."},
               {"launches"},
               {"time"},
               {"range", false}},
              {}};
  for (const std::size_t index : largest_first(gpu.regions)) {
    const GpuRegionCounts& region = gpu.regions[index];
    if (table.rows.size() >= kLongestList) break;
    table.rows.push_back({formula_text(region.counts.warp), formula_text(region.counts.thread),
                          tensor_text(region.counts), grouped(region.launches),
                          time_text(region.counts), printable(region.name)});
  }
  return table;
}

Table set_table(const GpuDeviceCounts& gpu) {
  Table table{"What the counts of GPU " + std::to_string(gpu.index) + " mean",
              "",
              {{"set", false}, {"", false}},
              {}};
  for (const GpuMetricSet& set : gpu.sets) {
    table.rows.push_back(
        {printable(set.name), std::string(to_string(set.quality)) + ": " + printable(set.formula)});
    const auto add = [&table](const char* label, const std::string& text) {
      if (!text.empty()) table.rows.push_back({"", label + printable(text)});
    };
    add("loads: ", set.loads);
    add("stores: ", set.stores);
    add("branches: ", set.branches);
    add("leaves in: ", joined(set.leaves_in));
    add("takes out: ", joined(set.takes_out));
  }
  return table;
}

Table sum_table(const RunRecord& record) {
  Table table{"CPU and GPUs together", "", {{"", false, 24}, {"", true, 20}, {"", false}}, {}};
  const auto combined = combined_bops(record);
  if (!combined) return table;
  table.note = printable(combined->how);
  const bool counted = record.counts.quality != Quality::kMissing;
  table.rows.push_back(
      {"formula BOPs, CPU",
       counted ? grouped(bops_formula(record.counts.totals().instructions)) : kNotMeasured});
  for (const GpuDeviceCounts& gpu : record.counts.gpus)
    table.rows.push_back({"formula BOPs, GPU " + std::to_string(gpu.index),
                          formula_text(gpu.counts.warp), "warp instructions"});
  if (combined->bops_formula)
    table.rows.push_back({"sum", grouped(*combined->bops_formula),
                          with_prefix(static_cast<double>(*combined->bops_formula), "BOP")});
  return table;
}

}  // namespace

std::string kernel_text(const GpuKernelCounts& kernel, std::size_t most_names) {
  std::string text = printable(kernel.name);
  std::size_t named = 0;
  for (const auto& [name, times] : kernel.graph_kernels) {
    if (named == most_names)
      return text + " and " + std::to_string(kernel.graph_kernels.size() - named) + " more";
    text += named++ == 0 ? " of " : ", ";
    text += std::to_string(times) + " x " + printable(name);
  }
  return text;
}

std::vector<Table> gpu_tables(const RunRecord& record) {
  std::vector<Table> tables;
  if (record.counts.gpus.empty()) return tables;
  tables.push_back(sum_table(record));
  for (const GpuDeviceCounts& gpu : record.counts.gpus)
    for (Table& table :
         std::vector<Table>{headline(gpu), kernel_table(gpu), region_rows(gpu), set_table(gpu)})
      tables.push_back(std::move(table));
  return tables;
}

Table instrument_table(const RunCounts& counts) {
  Table table{"Code of the profiler in the target, in none of the counts above",
              "",
              {{"instructions"}, {"image", false}},
              {}};
  for (const ImageCounts& image : counts.instruments)
    table.rows.push_back(
        {grouped(image.counts.instructions.total), shell_quoted(std::string_view(image.path))});
  return table;
}

}  // namespace bops

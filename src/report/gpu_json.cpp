#include "report/gpu_json.hpp"

#include <nlohmann/json.hpp>

#include "model/bops.hpp"
#include "report/escape.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(const std::optional<std::uint64_t>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json formula_json(const std::optional<GpuFormulaCounts>& counts) {
  if (!counts) return nullptr;
  return {{"instructions", counts->instructions},
          {"loads", number_or_null(counts->loads)},
          {"stores", number_or_null(counts->stores)},
          {"loads_and_stores", counts->loads_and_stores},
          {"branches", counts->branches},
          {"bops_formula", bops_formula(*counts)}};
}

Json amounts_json(const GpuAmounts& amounts) {
  Json rows = Json::array();
  for (const auto& [kind, count] : amounts)
    rows.push_back(Json{{"kind", utf8_text(kind)}, {"count", count}});
  return rows;
}

Json graph_json(const GpuAmounts& kernels) {
  Json rows = Json::array();
  for (const auto& [name, times] : kernels)
    rows.push_back(Json{{"name", utf8_text(name)}, {"times", times}});
  return rows;
}

void append_counts(Json& row, const GpuCounts& counts) {
  row["warp"] = formula_json(counts.warp);
  row["thread"] = formula_json(counts.thread);
  row["operations"] = amounts_json(counts.operations);
  row["instructions"] = amounts_json(counts.instructions);
  row["tensor_instructions"] = amounts_json(counts.tensor_instructions);
  row["tensor_operations"] = amounts_json(counts.tensor_operations);
  row["beside"] = amounts_json(counts.beside);
  row["duration_ns"] = number_or_null(counts.duration_ns);
}

Json texts_json(const std::vector<std::string>& texts) {
  Json rows = Json::array();
  for (const std::string& text : texts) rows.push_back(utf8_text(text));
  return rows;
}

template <class Read>
auto read_all(const JsonNode& node, Read read) {
  std::vector<decltype(read(node))> rows;
  for (std::size_t index = 0, size = node.size(); index < size; ++index)
    rows.push_back(read(node.element(index)));
  return rows;
}

std::vector<std::string> read_texts(const JsonNode& node) {
  return read_all(node, [](const JsonNode& text) { return text.text(); });
}

std::optional<GpuFormulaCounts> read_formula(const JsonNode& node) {
  if (node.is_null()) return std::nullopt;
  GpuFormulaCounts counts;
  counts.instructions = node.member("instructions").integer<std::uint64_t>();
  counts.loads = node.member("loads").integer_or_null<std::uint64_t>();
  counts.stores = node.member("stores").integer_or_null<std::uint64_t>();
  const JsonNode both = node.member("loads_and_stores");
  counts.loads_and_stores = both.integer<std::uint64_t>();
  if (counts.loads && counts.stores && *counts.loads + *counts.stores != counts.loads_and_stores)
    both.complain("must be loads + stores");
  counts.branches = node.member("branches").integer<std::uint64_t>();
  const JsonNode formula = node.member("bops_formula");
  if (formula.integer<std::int64_t>() != bops_formula(counts))
    formula.complain("must be instructions - loads_and_stores - branches");
  return counts;
}

GpuAmounts read_amounts(const JsonNode& node) {
  GpuAmounts amounts;
  for (std::size_t index = 0, size = node.size(); index < size; ++index) {
    const JsonNode row = node.element(index);
    if (!amounts.emplace(row.member("kind").text(), row.member("count").integer<std::uint64_t>())
             .second)
      row.complain("is of a kind that is there already");
  }
  return amounts;
}

GpuAmounts read_graph(const JsonNode& node) {
  GpuAmounts kernels;
  if (node.is_null()) return kernels;
  for (std::size_t index = 0, size = node.size(); index < size; ++index) {
    const JsonNode row = node.element(index);
    if (!kernels.emplace(row.member("name").text(), row.member("times").integer<std::uint64_t>())
             .second)
      row.complain("is of a kernel that is there already");
  }
  return kernels;
}

GpuCounts read_gpu_counts(const JsonNode& row) {
  GpuCounts counts;
  counts.warp = read_formula(row.member("warp"));
  counts.thread = read_formula(row.member("thread"));
  counts.operations = read_amounts(row.member("operations"));
  counts.instructions = read_amounts(row.member("instructions"));
  counts.tensor_instructions = read_amounts(row.member("tensor_instructions"));
  counts.tensor_operations = read_amounts(row.member("tensor_operations"));
  counts.beside = read_amounts(row.member("beside"));
  counts.duration_ns = row.member("duration_ns").integer_or_null<std::uint64_t>();
  return counts;
}

std::array<std::uint32_t, 3> read_sizes(const JsonNode& node) {
  if (node.size() != 3) {
    node.complain("must have three sizes");
    return {};
  }
  return {node.element(0).integer<std::uint32_t>(), node.element(1).integer<std::uint32_t>(),
          node.element(2).integer<std::uint32_t>()};
}

Quality read_quality_word(const JsonNode& node) {
  const std::string word = node.text();
  for (const Quality quality : {Quality::kExact, Quality::kApproximate, Quality::kScaled,
                                Quality::kPartial, Quality::kMissing})
    if (word == to_string(quality)) return quality;
  node.complain("must be exact, approximate, scaled, partial or missing");
  return Quality::kMissing;
}

GpuMetricSet read_set(const JsonNode& row) {
  GpuMetricSet set;
  set.name = row.member("name").text();
  set.title = row.member("title").text();
  set.formula = row.member("formula").text();
  set.loads = row.member("loads").text();
  set.stores = row.member("stores").text();
  set.branches = row.member("branches").text();
  set.leaves_in = read_texts(row.member("leaves_in"));
  set.takes_out = read_texts(row.member("takes_out"));
  set.quality = read_quality_word(row.member("quality"));
  set.metrics = read_texts(row.member("metrics"));
  return set;
}

GpuKernelCounts read_kernel(const JsonNode& row) {
  return {row.member("pid").integer<pid_t>(),
          row.member("name").text(),
          read_sizes(row.member("grid")),
          read_sizes(row.member("block")),
          row.member("launches").integer<std::uint64_t>(),
          read_gpu_counts(row),
          read_graph(row.member_or_null("graph_kernels"))};
}

GpuRegionCounts read_region(const JsonNode& row) {
  return {row.member("pid").integer<pid_t>(), row.member("name").text(),
          row.member("launches").integer<std::uint64_t>(), read_gpu_counts(row)};
}

}  // namespace

Json gpu_set_json(const GpuMetricSet& set) {
  return {{"name", utf8_text(set.name)},
          {"title", utf8_text(set.title)},
          {"formula", utf8_text(set.formula)},
          {"loads", utf8_text(set.loads)},
          {"stores", utf8_text(set.stores)},
          {"branches", utf8_text(set.branches)},
          {"leaves_in", texts_json(set.leaves_in)},
          {"takes_out", texts_json(set.takes_out)},
          {"quality", to_string(set.quality)},
          {"metrics", texts_json(set.metrics)}};
}

Json gpu_json(const GpuDeviceCounts& gpu) {
  Json row = {{"index", gpu.index},
              {"name", utf8_text(gpu.name)},
              {"chip", utf8_text(gpu.chip)},
              {"uuid", utf8_text(gpu.uuid)},
              {"mode", utf8_text(gpu.mode)},
              {"passes", gpu.passes},
              {"processes", gpu.processes},
              {"launches", gpu.launches},
              {"counted", gpu.counted},
              {"dropped", gpu.dropped},
              {"quality", to_string(gpu.quality)}};
  append_counts(row, gpu.counts);
  row["sets"] = Json::array();
  for (const GpuMetricSet& set : gpu.sets) row["sets"].push_back(gpu_set_json(set));
  row["kernels"] = Json::array();
  for (const GpuKernelCounts& kernel : gpu.kernels) {
    Json line = {{"pid", kernel.pid},
                 {"name", utf8_text(kernel.name)},
                 {"grid", kernel.grid},
                 {"block", kernel.block},
                 {"launches", kernel.launches}};
    if (!kernel.graph_kernels.empty()) line["graph_kernels"] = graph_json(kernel.graph_kernels);
    append_counts(line, kernel.counts);
    row["kernels"].push_back(std::move(line));
  }
  row["regions"] = Json::array();
  for (const GpuRegionCounts& region : gpu.regions) {
    Json line = {
        {"pid", region.pid}, {"name", utf8_text(region.name)}, {"launches", region.launches}};
    append_counts(line, region.counts);
    row["regions"].push_back(std::move(line));
  }
  return row;
}

GpuDeviceCounts read_gpu(const JsonNode& row) {
  GpuDeviceCounts gpu;
  gpu.index = row.member("index").integer<std::uint32_t>();
  gpu.name = row.member("name").text();
  gpu.chip = row.member("chip").text();
  gpu.uuid = row.member("uuid").text();
  gpu.mode = row.member("mode").text();
  gpu.passes = row.member("passes").integer<std::uint64_t>();
  gpu.processes =
      read_all(row.member("processes"), [](const JsonNode& pid) { return pid.integer<pid_t>(); });
  gpu.launches = row.member("launches").integer<std::uint64_t>();
  const JsonNode counted = row.member("counted");
  gpu.counted = counted.integer<std::uint64_t>();
  if (gpu.counted > gpu.launches) counted.complain("must not be more than launches");
  gpu.dropped = row.member("dropped").integer<std::uint64_t>();
  gpu.quality = read_quality_word(row.member("quality"));
  gpu.counts = read_gpu_counts(row);
  gpu.sets = read_all(row.member("sets"), read_set);
  gpu.kernels = read_all(row.member("kernels"), read_kernel);
  gpu.regions = read_all(row.member("regions"), read_region);
  std::uint64_t launches = 0;
  for (const GpuKernelCounts& kernel : gpu.kernels) launches += kernel.launches;
  if (!gpu.kernels.empty() && launches != gpu.counted)
    row.member("kernels").complain("must have launches that sum to counted");
  return gpu;
}

Json gpu_interval_json(const GpuDeviceCounts& gpu) {
  Json row = {{"index", gpu.index},
              {"name", utf8_text(gpu.name)},
              {"chip", utf8_text(gpu.chip)},
              {"uuid", utf8_text(gpu.uuid)},
              {"mode", utf8_text(gpu.mode)},
              {"launches", gpu.launches},
              {"counted", gpu.counted},
              {"dropped", gpu.dropped},
              {"quality", to_string(gpu.quality)}};
  append_counts(row, gpu.counts);
  return row;
}

std::optional<CombinedBops> combined_bops(const RunRecord& record) {
  if (record.counts.gpus.empty()) return std::nullopt;
  const auto apart = [](std::string why) {
    return CombinedBops{std::nullopt, "no sum of CPU and GPU: " + std::move(why)};
  };
  if (record.counts.quality == Quality::kMissing || record.collectors.empty())
    return apart("nothing was counted on the CPU");
  const std::string& unit = record.collectors.front().unit;
  if (unit != "retired_instructions")
    return apart("the CPU's unit is " + unit + ", not instructions");
  std::int64_t sum = bops_formula(record.counts.totals().instructions);
  for (const GpuDeviceCounts& gpu : record.counts.gpus) {
    if (!gpu.counts.warp) return apart("the warp instructions of " + gpu.uuid + " are not known");
    sum += bops_formula(*gpu.counts.warp);
  }
  return CombinedBops{
      sum,
      "retired instructions of the CPU and warp instructions of the GPUs, loads, stores and "
      "branches taken out of both: an instruction for many data (SIMD, a warp of 32 threads) is "
      "one; tensor work is apart; the quality is the poorer one"};
}

}  // namespace bops

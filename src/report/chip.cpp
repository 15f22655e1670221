#include "report/chip.hpp"

#include <nlohmann/json.hpp>

#include "report/escape.hpp"
#include "report/gpu_json.hpp"
#include "report/text.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& parts, const char* divider) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : divider) + part;
  return text;
}

std::string use_text(const GpuChipSet& set) {
  if (set.in_meter) return "--gpu meter";
  if (set.in_profile) return "--gpu profile";
  return set.set.name == "tensor_operations" ? "--tensor-operations" : "-";
}

}  // namespace

std::string render_chip_text(const GpuChipReport& report, bool colour) {
  Table table{"Metric sets for " + printable(report.chip) + ", " + printable(report.family) +
                  ", compute capability " + printable(joined(report.compute_capabilities, ", ")),
              "--gpu meter takes " + std::to_string(report.meter_passes) +
                  " pass, --gpu profile runs each kernel in " +
                  std::to_string(report.profile_passes) + " passes",
              {{"set", false}, {"passes"}, {"metrics"}, {"used by", false}, {"", false}},
              {}};
  const auto line = [&table](const char* label, const std::string& text) {
    if (!text.empty()) table.rows.push_back({"", "", "", "", label + printable(text)});
  };
  for (const GpuChipSet& row : report.sets) {
    const GpuMetricSet& set = row.set;
    table.rows.push_back({printable(set.name), std::to_string(set.passes),
                          std::to_string(set.metrics.size()), use_text(row), printable(set.title)});
    line("", set.formula);
    line("loads: ", set.loads);
    line("stores: ", set.stores);
    line("branches: ", set.branches);
    line("leaves in: ", joined(set.leaves_in, "; "));
    line("takes out: ", joined(set.takes_out, "; "));
  }
  Table names{"nvprof's metrics in today's", "", {{"nvprof", false}, {"is", false}}, {}};
  for (const auto& [old, now] : report.nvprof)
    names.rows.push_back({printable(old), printable(now)});
  return table_text(table, colour) + "\n" + table_text(names, colour);
}

Json to_json(const GpuChipReport& report) {
  Json sets = Json::array();
  for (const GpuChipSet& row : report.sets) {
    Json set = gpu_set_json(row.set);
    set["passes"] = row.set.passes;
    set["in_meter"] = row.in_meter;
    set["in_profile"] = row.in_profile;
    sets.push_back(std::move(set));
  }
  Json nvprof = Json::array();
  for (const auto& [old, now] : report.nvprof)
    nvprof.push_back(Json{{"nvprof", utf8_text(old)}, {"is", utf8_text(now)}});
  return {{"schema", "bops.chip.v1"},
          {"chip", utf8_text(report.chip)},
          {"family", utf8_text(report.family)},
          {"compute_capabilities", report.compute_capabilities},
          {"meter_passes", report.meter_passes},
          {"profile_passes", report.profile_passes},
          {"sets", std::move(sets)},
          {"nvprof", std::move(nvprof)}};
}

std::string render_chip_json(const GpuChipReport& report) {
  return to_json(report).dump(2, ' ', true) + '\n';
}

}  // namespace bops

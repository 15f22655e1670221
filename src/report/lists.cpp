#include "report/lists.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <string_view>

#include "model/bops.hpp"
#include "report/escape.hpp"
#include "report/number_text.hpp"

namespace bops {
namespace {

constexpr std::string_view kNotMeasured = "not measured";

std::string path_text(const std::string& path) {
  return path.empty() ? "(unknown)" : shell_quoted(std::string_view(path));
}

std::string formula_text(const Counts& counts, bool measured) {
  return measured ? grouped(bops_formula(counts.instructions)) : std::string(kNotMeasured);
}

std::string operations_text(const Counts& counts, bool measured) {
  const bool present = measured && counts.operations;
  return present ? grouped(counts.operations->total()) : std::string(kNotMeasured);
}

std::string instructions_text(const Counts& counts, bool measured) {
  return measured ? grouped(counts.instructions.total) : std::string(kNotMeasured);
}

std::string time_text(const std::optional<std::uint64_t>& time_ns) {
  return time_ns ? duration_text(*time_ns) : "running";
}

bool is_measured(const RunCounts& counts) {
  return counts.quality != Quality::kMissing;
}

/// Indices 0 ... size - 1, those before others in the order of `before` first; stable.
template <class Before>
std::vector<std::size_t> sorted_indices(std::size_t size, Before before) {
  std::vector<std::size_t> indices(size);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  std::stable_sort(indices.begin(), indices.end(), before);
  return indices;
}

std::vector<std::string> process_row(const ProcessCounts& process, bool run_measured) {
  const bool measured = run_measured && process.counted;
  std::string note = path_text(process.executable);
  if (!process.counted)
    note += " (not counted: " +
            (process.reason.empty() ? "reason unknown" : printable(process.reason)) + ")";
  return {std::to_string(process.pid), std::to_string(process.ppid),
          formula_text(process.counts, measured), operations_text(process.counts, measured),
          std::move(note)};
}

Table image_table(const RunCounts& counts, std::string title,
                  const std::vector<std::size_t>& order) {
  Table table{std::move(title), "", {{"formula BOPs"}, {"operations"}, {"image", false}}, {}};
  Counts others = Counts::exact_zero();
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const ImageCounts& image = counts.images[order[rank]];
    if (rank >= kLongestList) {
      others += image.counts;
      continue;
    }
    table.rows.push_back({formula_text(image.counts, is_measured(counts)),
                          operations_text(image.counts, is_measured(counts)),
                          path_text(image.path)});
  }
  if (order.size() > kLongestList)
    table.rows.push_back({formula_text(others, is_measured(counts)),
                          operations_text(others, is_measured(counts)),
                          "(" + std::to_string(order.size() - kLongestList) + " others)"});
  return table;
}

std::int64_t formula_of(const Counts& counts) {
  return bops_formula(counts.instructions);
}

std::uint64_t operations_of(const Counts& counts) {
  return counts.operations ? counts.operations->total() : 0;
}

/// Indices of rows that have counts, the highest `number` of those first.
template <class Rows, class Number>
std::vector<std::size_t> ranked(const Rows& rows, Number number) {
  return sorted_indices(rows.size(), [&rows, number](std::size_t a, std::size_t b) {
    return number(rows[a].counts) > number(rows[b].counts);
  });
}

template <class Rows>
bool is_decoded(const Rows& rows) {
  return std::all_of(rows.begin(), rows.end(),
                     [](const auto& row) { return row.counts.operations.has_value(); });
}

/// C++ names can fill a screen each.
std::string name_text(std::string_view name) {
  constexpr std::size_t kLongestName = 120;  // bytes
  const std::string_view head = name.substr(0, kLongestName);
  return printable(head) + (head.size() < name.size() ? "..." : "");
}

std::string file_name(const std::string& path) {
  return path_text(path.starts_with('/') ? path.substr(path.rfind('/') + 1) : path);
}

/// Of a sum that is positive: a share of less says nothing.
std::string share_text(double part, double whole) {
  return percent(part, whole > 0 ? whole : 0);
}

std::vector<std::string> function_row(const Counts& counts, const Counts& run, bool measured,
                                      std::string name, std::string image) {
  const bool decoded = measured && counts.operations && run.operations;
  return {formula_text(counts, measured),
          measured ? share_text(static_cast<double>(formula_of(counts)),
                                static_cast<double>(formula_of(run)))
                   : "",
          operations_text(counts, measured),
          decoded ? share_text(static_cast<double>(operations_of(counts)),
                               static_cast<double>(operations_of(run)))
                  : "",
          std::move(name),
          std::move(image)};
}

Table function_table(const RunCounts& counts, std::string title,
                     const std::vector<std::size_t>& order) {
  Table table{std::move(title),
              "",
              {{"formula BOPs"},
               {"share"},
               {"operations"},
               {"share"},
               {"function", false},
               {"image", false}},
              {}};
  const Counts run = counts.totals();
  Counts others = Counts::exact_zero();
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const FunctionCounts& function = counts.functions[order[rank]];
    if (rank >= kListedFunctions)
      others += function.counts;
    else
      table.rows.push_back(function_row(function.counts, run, is_measured(counts),
                                        name_text(function.name), file_name(function.image)));
  }
  if (order.size() > kListedFunctions)
    table.rows.push_back(
        function_row(others, run, is_measured(counts),
                     "(" + std::to_string(order.size() - kListedFunctions) + " others)", ""));
  return table;
}

/// The regions summed over their threads, those with the most formula BOPs first.
std::vector<RegionCounts> regions_by_name(const RunCounts& counts) {
  std::map<std::string_view, std::size_t> places;
  std::vector<RegionCounts> sums;
  for (const RegionCounts& region : counts.regions) {
    const auto [place, is_new] = places.try_emplace(region.name, sums.size());
    if (is_new) {
      sums.push_back(region);
      continue;
    }
    RegionCounts& sum = sums[place->second];
    sum.entries += region.entries;
    add_work(sum.work, region.work);
    sum.counts += region.counts;
    sum.counted &= region.counted;
  }
  std::stable_sort(sums.begin(), sums.end(), [](const RegionCounts& a, const RegionCounts& b) {
    return formula_of(a.counts) > formula_of(b.counts);
  });
  return sums;
}

void add_work_rows(Table& table, const Work& work, const Counts& counts, bool measured,
                   const std::string& name) {
  for (const auto& [unit, amount] : work) {
    const auto units = static_cast<double>(amount);
    const bool decoded = measured && counts.operations;
    table.rows.push_back({grouped(amount), name_text(unit),
                          measured ? per_part(static_cast<double>(formula_of(counts)), units)
                                   : std::string(kNotMeasured),
                          decoded ? per_part(static_cast<double>(operations_of(counts)), units)
                                  : std::string(kNotMeasured),
                          name});
  }
}

}  // namespace

Table process_table(const RunCounts& counts) {
  Table table{"Processes",
              "",
              {{"pid"}, {"parent"}, {"formula BOPs"}, {"operations"}, {"executable", false}},
              {}};
  const auto& processes = counts.processes;
  std::vector<std::size_t> shown =
      sorted_indices(processes.size(), [&processes](std::size_t a, std::size_t b) {
        if (processes[a].counted != processes[b].counted) return !processes[a].counted;
        return bops_formula(processes[a].counts.instructions) >
               bops_formula(processes[b].counts.instructions);
      });
  Counts others = Counts::exact_zero();
  std::size_t uncounted_others = 0;
  std::size_t counted_others = 0;
  for (std::size_t rank = kLongestList; rank < shown.size(); ++rank) {
    const ProcessCounts& process = processes[shown[rank]];
    if (process.counted) {
      others += process.counts;
      ++counted_others;
    } else {
      ++uncounted_others;
    }
  }
  shown.resize(std::min(shown.size(), kLongestList));
  std::sort(shown.begin(), shown.end());
  for (const std::size_t index : shown)
    table.rows.push_back(process_row(processes[index], is_measured(counts)));
  if (counted_others != 0)
    table.rows.push_back({"", "", formula_text(others, is_measured(counts)),
                          operations_text(others, is_measured(counts)),
                          "(" + std::to_string(counted_others) + " others)"});
  if (uncounted_others != 0)
    table.rows.push_back({"", "", std::string(kNotMeasured), std::string(kNotMeasured),
                          "(" + std::to_string(uncounted_others) + " others, not counted)"});
  return table;
}

Table thread_table(const RunCounts& counts) {
  Table table{"Threads",
              "",
              {{"pid"},
               {"tid"},
               {"start"},
               {"end"},
               {"instructions"},
               {"formula BOPs"},
               {"operations"},
               {"via", false},
               {"name", false}},
              {}};
  const bool measured = is_measured(counts);
  for (const ThreadCounts& thread : counts.threads)
    table.rows.push_back({std::to_string(thread.pid), std::to_string(thread.tid),
                          duration_text(thread.start_ns), time_text(thread.end_ns),
                          instructions_text(thread.counts, measured && thread.counted),
                          formula_text(thread.counts, measured && thread.counted),
                          operations_text(thread.counts, measured && thread.counted),
                          printable(thread.via), printable(thread.name)});
  return table;
}

std::vector<Table> image_tables(const RunCounts& counts) {
  const auto formula_order = ranked(counts.images, formula_of);
  std::vector<Table> tables{image_table(counts, "Images by formula BOPs", formula_order)};
  if (!is_decoded(counts.images)) return tables;
  const auto decoded_order = ranked(counts.images, operations_of);
  if (decoded_order != formula_order)
    tables.push_back(image_table(counts, "Images by decoded operations", decoded_order));
  return tables;
}

std::vector<Table> function_tables(const RunCounts& counts) {
  const auto formula_order = ranked(counts.functions, formula_of);
  std::vector<Table> tables{function_table(counts, "Functions by formula BOPs", formula_order)};
  if (!is_decoded(counts.functions)) return tables;
  const auto decoded_order = ranked(counts.functions, operations_of);
  if (decoded_order != formula_order)
    tables.push_back(function_table(counts, "Functions by decoded operations", decoded_order));
  return tables;
}

Table sampled_table(const RunCounts& counts) {
  Table table{
      "Functions by sampled formula BOPs",
      "",
      {{"formula BOPs"}, {"+- (k = 2)"}, {"samples"}, {"function", false}, {"image", false}},
      {}};
  if (!counts.sampled) return table;
  constexpr double kCoverage = 2;  // standard errors, for about 95 %
  const SampledFunctions& sampled = *counts.sampled;
  table.note = "estimate, from a sample of every " + grouped(sampled.period) +
               " instructions, loads, stores and branches of each thread";
  if (sampled.lost > 0) table.note += "; " + grouped(sampled.lost) + " samples were lost";
  for (const SampledFunction& function : sampled.functions) {
    if (table.rows.size() == kListedFunctions) {
      table.rows.push_back(
          {"", "", "",
           "(" + std::to_string(sampled.functions.size() - kListedFunctions) + " others)"});
      break;
    }
    std::uint64_t samples = 0;
    for (const std::uint64_t of_event : function.samples) samples += of_event;
    const bool enough = function.has_enough();
    table.rows.push_back(
        {enough ? grouped(function.estimate.bops_formula) : "too few samples",
         enough ? grouped_rounded(kCoverage * function.estimate.standard_error) : "",
         grouped(samples), name_text(function.name), file_name(function.image)});
  }
  return table;
}

Table region_table(const RunCounts& counts) {
  Table table{
      "Regions (all threads, with what is nested in them)",
      "",
      {{"entries"}, {"formula BOPs"}, {"share"}, {"operations"}, {"share"}, {"region", false}},
      {}};
  const Counts run = counts.totals();
  const std::vector<RegionCounts> regions = regions_by_name(counts);
  for (const RegionCounts& region : regions) {
    if (table.rows.size() == kLongestList) {
      // They overlap: there is no sum of them.
      table.rows.push_back(
          {"", "", "", "", "", "(" + std::to_string(regions.size() - kLongestList) + " others)"});
      break;
    }
    std::vector<std::string> row = function_row(
        region.counts, run, is_measured(counts) && region.counted, name_text(region.name), "");
    row.pop_back();
    row.insert(row.begin(), grouped(region.entries));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table work_table(const RunCounts& counts) {
  Table table{"Work",
              "",
              {{"amount"},
               {"unit", false},
               {"formula BOPs per unit"},
               {"operations per unit"},
               {"region", false}},
              {}};
  add_work_rows(table, counts.total_work(), counts.totals(), is_measured(counts), "(whole run)");
  std::size_t rank = 0;
  for (const RegionCounts& region : regions_by_name(counts)) {
    if (rank++ == kLongestList) break;
    add_work_rows(table, region.work, region.counts, is_measured(counts) && region.counted,
                  name_text(region.name));
  }
  return table;
}

Table thread_region_table(const RunCounts& counts) {
  Table table{"Regions by thread",
              "",
              {{"pid"},
               {"tid"},
               {"thread start"},
               {"entries"},
               {"formula BOPs"},
               {"operations"},
               {"region", false}},
              {}};
  const bool measured = is_measured(counts);
  for (const RegionCounts& region : counts.regions)
    table.rows.push_back({std::to_string(region.pid), std::to_string(region.tid),
                          duration_text(region.thread_start_ns), grouped(region.entries),
                          formula_text(region.counts, measured && region.counted),
                          operations_text(region.counts, measured && region.counted),
                          name_text(region.name)});
  return table;
}

Table repeat_table(const RepeatSummary& repeat) {
  Table table{"Repeated " + std::to_string(repeat.runs) + " times (deviation of the sample)",
              "",
              {{"", false, 20},
               {"mean", true, 20},
               {"+- deviation"},
               {"relative"},
               {"minimum"},
               {"maximum"}},
              {}};
  for (const RepeatStatistic& statistic : repeat.statistics)
    table.rows.push_back({printable(statistic.name), grouped_rounded(statistic.mean),
                          grouped_rounded(statistic.standard_deviation),
                          percent(statistic.standard_deviation, std::abs(statistic.mean)),
                          grouped_rounded(statistic.minimum), grouped_rounded(statistic.maximum)});
  return table;
}

}  // namespace bops

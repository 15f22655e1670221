#include "report/lists.hpp"

#include <algorithm>
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
    table.rows.push_back(
        {std::to_string(thread.pid), std::to_string(thread.tid), duration_text(thread.start_ns),
         time_text(thread.end_ns), instructions_text(thread.counts, measured),
         formula_text(thread.counts, measured), operations_text(thread.counts, measured),
         printable(thread.via), printable(thread.name)});
  return table;
}

std::vector<Table> image_tables(const RunCounts& counts) {
  const auto& images = counts.images;
  const auto formula_order = sorted_indices(images.size(), [&images](std::size_t a, std::size_t b) {
    return bops_formula(images[a].counts.instructions) >
           bops_formula(images[b].counts.instructions);
  });
  std::vector<Table> tables{image_table(counts, "Images by formula BOPs", formula_order)};
  const bool decoded = std::all_of(images.begin(), images.end(), [](const ImageCounts& image) {
    return image.counts.operations.has_value();
  });
  if (!decoded) return tables;
  const auto decoded_order = sorted_indices(images.size(), [&images](std::size_t a, std::size_t b) {
    return images[a].counts.operations->total() > images[b].counts.operations->total();
  });
  if (decoded_order != formula_order)
    tables.push_back(image_table(counts, "Images by decoded operations", decoded_order));
  return tables;
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

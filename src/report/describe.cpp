#include "report/describe.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "model/bops.hpp"
#include "report/escape.hpp"
#include "report/gpu_tables.hpp"
#include "report/lists.hpp"
#include "report/missing.hpp"
#include "report/number_text.hpp"

namespace bops {
namespace {

constexpr std::size_t kLongestCommand = 200;  // bytes; the records keep all of it

std::string in_words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return printable(name);
}

std::string reason_text(const RunRecord& record, std::string_view code) {
  return printable(missing_reason(record, code)) + " [" + std::string(code) + "]";
}

std::string not_measured(const RunRecord& record, std::string_view code) {
  return "not measured: " + reason_text(record, code);
}

std::vector<std::string> missing_row(const RunRecord& record, std::string label,
                                     std::string_view code) {
  return {std::move(label), "not measured", "", reason_text(record, code)};
}

std::string command_text(const RunRecord& record) {
  if (!record.command) return "(redacted)";
  std::string text;
  std::size_t shown = 0;
  for (const std::string& argument : *record.command) {
    const std::string_view head = std::string_view(argument).substr(0, kLongestCommand);
    if (shown != 0 && text.size() + head.size() >= kLongestCommand) break;
    if (shown != 0) text += ' ';
    text += shell_quoted(head);
    if (head.size() < argument.size()) text += "...";
    ++shown;
  }
  const std::size_t left_out = record.command->size() - shown;
  if (left_out != 0) text += " ... (" + std::to_string(left_out) + " more arguments)";
  return text;
}

std::string scope_in_words(std::string_view scope) {
  if (scope == "user") return "user mode only";
  if (scope == "user+kernel") return "user mode and kernel";
  return printable(scope);
}

std::string collector_text(const CollectorInfo& collector) {
  std::string text = printable(collector.name);
  if (!collector.title.empty()) text += " (" + printable(collector.title) + ")";
  text += ", counts " + in_words(collector.unit) + ", " + scope_in_words(collector.scope);
  if (collector.slowdown_class == "emulated") text += ", emulated";
  return text;
}

std::string exit_text(const ExitStatus& exit) {
  if (exit.signal) {
    const char* name = sigabbrev_np(*exit.signal);
    return "killed by signal " + std::to_string(*exit.signal) +
           (name != nullptr ? std::string(" (SIG") + name + ")" : std::string());
  }
  return "exit status " + std::to_string(*exit.code);
}

std::string end_text(const RunRecord& record) {
  if (record.exit != ExitStatus{}) return exit_text(record.exit);
  const auto& processes = record.counts.processes;
  const auto ended = std::count_if(processes.begin(), processes.end(),
                                   [](const auto& process) { return process.end_ns.has_value(); });
  if (ended == 0) return "had not ended when bops stopped counting";
  if (static_cast<std::size_t>(ended) == processes.size())
    return "had ended when bops stopped counting; how, it does not know";
  return std::to_string(ended) + " of " + std::to_string(processes.size()) +
         " processes had ended when bops stopped counting";
}

/// The parts that are known.
std::string host_text(const HostIdentity& host) {
  const std::string name = printable(host.name);
  const std::string kernel = printable(host.kernel);
  if (name.empty() && kernel.empty()) return "unknown";
  return name + (name.empty() || kernel.empty() ? "" : ", ") + kernel;
}

std::string cpu_text(const CpuIdentity& cpu) {
  if (cpu.vendor.empty() && cpu.name.empty()) return "unknown";
  return printable(cpu.name) + " (" + printable(cpu.vendor) + " family " +
         std::to_string(cpu.family) + " model " + std::to_string(cpu.model) + " stepping " +
         std::to_string(cpu.stepping) + ")";
}

void add_resource_facts(const RunRecord& record, std::vector<Fact>& facts) {
  if (!record.resource_usage) {
    facts.push_back({"Resources", not_measured(record, kResourcesNotMeasured)});
    return;
  }
  const ResourceUsage& usage = *record.resource_usage;
  facts.push_back({"CPU time", duration_text(usage.user_cpu_ns) + " user, " +
                                   duration_text(usage.system_cpu_ns) + " system"});
  facts.push_back({"Memory", bytes_text(usage.max_resident_bytes) + " at most resident, " +
                                 grouped(usage.minor_faults) + " minor and " +
                                 grouped(usage.major_faults) + " major faults"});
  facts.push_back({"Switches", grouped(usage.voluntary_switches) + " voluntary, " +
                                   grouped(usage.involuntary_switches) + " involuntary"});
}

std::vector<Fact> facts_of(const RunRecord& record) {
  std::vector<Fact> facts;
  for (const CollectorInfo& collector : record.collectors)
    facts.push_back({"Collector", collector_text(collector)});
  facts.push_back({"Quality", quality_in_words(record)});
  facts.push_back({"Ended", end_text(record)});
  facts.push_back({"Started", printable(record.started)});
  facts.push_back({"Wall time", duration_text(record.wall_ns)});
  add_resource_facts(record, facts);
  facts.push_back({"Host", host_text(record.host)});
  facts.push_back({"CPU", cpu_text(record.host.cpu)});
  for (const auto& [key, value] : record.labels)
    facts.push_back({"Label", printable(key) + "=" + printable(value)});
  return facts;
}

Table count_table(std::string title, std::string unit) {
  // 20 characters hold 999,999,999,999,999; larger counts widen their own table.
  return {std::move(title),
          {},
          {{"", false, 24}, {std::move(unit), true, 20}, {"share", true, 7}, {"", false}},
          {}};
}

void add_share(Table& table, std::string label, std::uint64_t part, std::uint64_t whole) {
  table.rows.push_back({std::move(label), grouped(part),
                        percent(static_cast<double>(part), static_cast<double>(whole))});
}

std::string unit_of(const RunRecord& record) {
  return record.collectors.empty() ? "instructions" : in_words(record.collectors.front().unit);
}

Table instruction_table(const RunRecord& record, const InstructionCounts& counts) {
  Table table = count_table("Instructions", unit_of(record));
  if (record.counts.quality == Quality::kMissing) {
    table.note = not_measured(record, kCountsNotMeasured);
  } else {
    add_share(table, "total", counts.total, counts.total);
    add_share(table, "loads", counts.loads, counts.total);
    add_share(table, "stores", counts.stores, counts.total);
    add_share(table, "branches", counts.branches, counts.total);
  }
  if (record.cycles)
    table.rows.push_back({"cycles", grouped(*record.cycles)});
  else
    table.rows.push_back(missing_row(record, "cycles", kCyclesNotMeasured));
  return table;
}

Table formula_table(const RunRecord& record, const InstructionCounts& counts) {
  Table table = count_table("Formula BOPs = total - loads - stores - branches", "BOPs");
  if (record.counts.quality == Quality::kMissing) {
    table.note = not_measured(record, kCountsNotMeasured);
    return table;
  }
  const std::int64_t bops = bops_formula(counts);
  table.note = grouped(counts.total) + " - " + grouped(counts.loads) + " - " +
               grouped(counts.stores) + " - " + grouped(counts.branches) + " = " + grouped(bops);
  table.rows.push_back({"formula BOPs", grouped(bops),
                        percent(static_cast<double>(bops), static_cast<double>(counts.total)),
                        with_prefix(static_cast<double>(bops), "BOP")});
  if (bops < 0)
    table.rows.back().back() +=
        ", negative: instructions in several classes are subtracted once for each";
  if (const std::optional<std::int64_t> rate = bops_per_second(record))
    table.rows.push_back(
        {"per second", grouped(*rate), "", with_prefix(static_cast<double>(*rate), "BOP/s")});
  else
    table.rows.push_back(missing_row(record, "per second", kRatesNotMeasured));
  return table;
}

Table operation_table(const RunRecord& record, const std::optional<Operations>& operations) {
  Table table = count_table("Decoded operations (SIMD lanes and FMA counted)", "operations");
  if (!operations || record.counts.quality == Quality::kMissing) {
    table.note = not_measured(record, kOperationsNotMeasured);
    return table;
  }
  const std::uint64_t sum = operations->total();
  add_share(table, "computation", operations->computation(), sum);
  add_share(table, "of which integer", operations->integer, sum);
  add_share(table, "of which floating point", operations->floating_point, sum);
  add_share(table, "address", operations->address, sum);
  add_share(table, "sum", sum, sum);
  table.rows.back().push_back(with_prefix(static_cast<double>(sum), "OP"));
  return table;
}

/// Never among the counts: an estimate stands in a table of its own, with its error.
Table calibrated_table(const RunRecord& record, const std::optional<Operations>& counted) {
  Table table =
      count_table("Decoded operations, estimated from the formula by a calibration", "operations");
  if (!record.calibrated) return table;
  table.columns[2].heading = "error";
  const CalibratedEstimate& estimate = *record.calibrated;
  const auto operations = static_cast<double>(estimate.operations);
  table.note = "calibration " + printable(estimate.calibration_file) + " of build " +
               printable(estimate.build_id);
  table.rows.push_back({"estimate", grouped(estimate.operations),
                        "+- " + percent(estimate.relative_error, 1),
                        with_prefix(operations, "OP")});
  if (!counted || record.counts.quality == Quality::kMissing) return table;
  const auto truth = static_cast<double>(counted->total());
  table.rows.push_back({"counted in this run", grouped(counted->total()), "",
                        "the estimate is off by " + percent(operations - truth, truth)});
  return table;
}

/// An estimate, and no part of the counts: each event with what it is taken for.
Table vector_table(const std::optional<OperationsEstimate>& estimate) {
  Table table =
      count_table("Floating-point and vector operations, estimated from events", "operations");
  if (!estimate) return table;
  table.columns[2].heading = "each";
  table.note = estimate->further_runs == 0
                   ? "estimate; its events were counted in this run"
                   : "estimate; its events were counted in " +
                         std::to_string(estimate->further_runs) + " further run" +
                         (estimate->further_runs > 1 ? "s" : "") + " of the command";
  for (const EstimatedShare& share : estimate->events) {
    std::array<char, 32> each{};
    std::snprintf(each.data(), each.size(), "%g", share.operations_each);
    table.rows.push_back(
        {printable(share.event), grouped(share.operations), each.data(), printable(share.meaning)});
  }
  const auto operations = static_cast<double>(estimate->operations_estimate);
  table.rows.push_back(
      {"estimate", grouped(estimate->operations_estimate), "", with_prefix(operations, "OP")});
  return table;
}

Table class_table(const RunRecord& record, const std::optional<InstructionClasses>& classes) {
  Table table = count_table("Instruction classes (disjoint)", unit_of(record));
  if (!classes || record.counts.quality == Quality::kMissing) {
    table.note = not_measured(record, kClassesNotMeasured);
    return table;
  }
  const std::uint64_t sum = classes->total();
  add_share(table, "branch", classes->branch, sum);
  add_share(table, "load", classes->load, sum);
  add_share(table, "store", classes->store, sum);
  add_share(table, "load and store", classes->load_store, sum);
  add_share(table, "floating point", classes->floating_point, sum);
  add_share(table, "integer", classes->integer, sum);
  add_share(table, "other", classes->other, sum);
  return table;
}

/// Warnings but those that stand where their number is missing.
std::vector<Warning> warnings_to_list(const RunRecord& record) {
  std::vector<Warning> missing = missing_numbers(record);
  std::vector<Warning> warnings;
  for (const Warning& warning : all_warnings(record)) {
    const auto told =
        std::find_if(missing.begin(), missing.end(),
                     [&warning](const Warning& other) { return other.code == warning.code; });
    if (told == missing.end())
      warnings.push_back({printable(warning.code), printable(warning.message)});
    else
      missing.erase(told);  // a second one with the same code says something else
  }
  return warnings;
}

}  // namespace

std::string quality_in_words(const RunRecord& record) {
  std::string word(to_string(record.counts.quality));
  const CollectorInfo collector =
      record.collectors.empty() ? CollectorInfo{} : record.collectors.front();
  switch (record.counts.quality) {
    case Quality::kExact:
      return word +
             (collector.scope == "user+kernel"
                  ? ": every executed instruction was counted, the kernel's included"
                  : ": every executed user instruction was counted") +
             (collector.integrity == "kernel"
                  ? ", by the hardware, within the margin of its self check"
                  : "");
    case Quality::kApproximate:
      return word +
             ": the counts are estimates, or count something other than retired instructions";
    case Quality::kScaled:
      return word + ": the counters ran part of the time, the rest is extrapolated";
    case Quality::kPartial: return word + ": something that belongs to the run was not counted";
    case Quality::kMissing: return word + ": nothing was counted";
  }
  return word;
}

Document describe(const RunRecord& record, bool per_thread) {
  const Counts totals = record.counts.totals();
  Document document;
  document.title = "Basic operations of " + command_text(record);
  document.facts = facts_of(record);
  document.tables = {
      formula_table(record, totals.instructions), instruction_table(record, totals.instructions),
      operation_table(record, totals.operations), class_table(record, totals.classes)};
  const auto add = [&document](Table table) {
    if (!table.rows.empty()) document.tables.push_back(std::move(table));
  };
  add(calibrated_table(record, totals.operations));
  add(vector_table(record.counts.operations_estimate));
  if (record.repeat) add(repeat_table(*record.repeat));
  add(process_table(record.counts));
  if (per_thread) add(thread_table(record.counts));
  add(region_table(record.counts));
  add(work_table(record.counts));
  if (per_thread) add(thread_region_table(record.counts));
  for (Table& table : gpu_tables(record)) add(std::move(table));
  for (Table& table : image_tables(record.counts)) add(std::move(table));
  for (Table& table : function_tables(record.counts)) add(std::move(table));
  add(sampled_table(record.counts));
  add(instrument_table(record.counts));
  document.warnings = warnings_to_list(record);
  return document;
}

}  // namespace bops

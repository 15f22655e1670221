#include "report/json.hpp"

#include <nlohmann/json.hpp>

#include "model/bops.hpp"
#include "report/escape.hpp"
#include "report/gpu_json.hpp"
#include "report/missing.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(utf8_text(text));
}

Json operations_json(const std::optional<Operations>& operations) {
  if (!operations) return nullptr;
  return {{"integer", operations->integer},
          {"floating_point", operations->floating_point},
          {"address", operations->address},
          {"total", operations->total()}};
}

Json classes_json(const std::optional<InstructionClasses>& classes) {
  if (!classes) return nullptr;
  return {{"branch", classes->branch},
          {"load", classes->load},
          {"store", classes->store},
          {"load_store", classes->load_store},
          {"floating_point", classes->floating_point},
          {"integer", classes->integer},
          {"other", classes->other}};
}

/// Appends the counts to a row; nulls where they were not measured.
void append_counts(Json& row, const Counts& counts, bool measured) {
  const InstructionCounts& instructions = counts.instructions;
  row["instructions"] = measured ? Json(instructions.total) : Json(nullptr);
  row["loads"] = measured ? Json(instructions.loads) : Json(nullptr);
  row["stores"] = measured ? Json(instructions.stores) : Json(nullptr);
  row["branches"] = measured ? Json(instructions.branches) : Json(nullptr);
  row["bops_formula"] = measured ? Json(bops_formula(instructions)) : Json(nullptr);
  row["operations"] = measured ? operations_json(counts.operations) : Json(nullptr);
  row["instruction_classes"] = measured ? classes_json(counts.classes) : Json(nullptr);
}

Json work_json(const Work& work) {
  Json object = Json::object();
  for (const auto& [unit, amount] : work) object[utf8_text(unit)] = amount;
  return object;
}

/// A run may have many thousand threads, and this is half as fast with a list of initialisers.
Json thread_json(const ThreadCounts& thread, bool measured) {
  constexpr std::size_t kFields = 14;
  Json row = Json::object();
  row.get_ref<Json::object_t&>().reserve(kFields);
  row["pid"] = thread.pid;
  row["tid"] = thread.tid;
  row["name"] = utf8_text(thread.name);
  row["start_ns"] = thread.start_ns;
  row["end_ns"] = or_null(thread.end_ns);
  row["via"] = utf8_text(thread.via);
  append_counts(row, thread.counts, measured && thread.counted);
  if (!thread.work.empty()) row["work"] = work_json(thread.work);
  return row;
}

Json process_json(const ProcessCounts& process, bool measured) {
  Json row = {{"pid", process.pid},
              {"ppid", process.ppid},
              {"executable", utf8_text(process.executable)},
              {"counted", process.counted},
              {"reason", text_or_null(process.reason)},
              {"start_ns", process.start_ns},
              {"end_ns", or_null(process.end_ns)}};
  append_counts(row, process.counts, measured && process.counted);
  return row;
}

Json image_json(const ImageCounts& image, bool measured) {
  Json row = {{"path", utf8_text(image.path)}, {"build_id", text_or_null(image.build_id)}};
  append_counts(row, image.counts, measured);
  return row;
}

Json function_json(const FunctionCounts& function, bool measured) {
  Json row = {{"image", utf8_text(function.image)}, {"name", utf8_text(function.name)}};
  append_counts(row, function.counts, measured);
  return row;
}

Json region_json(const RegionCounts& region, bool measured) {
  Json row = {{"name", utf8_text(region.name)},
              {"pid", region.pid},
              {"tid", region.tid},
              {"thread_start_ns", region.thread_start_ns},
              {"entries", region.entries},
              {"work", work_json(region.work)}};
  append_counts(row, region.counts, measured && region.counted);
  return row;
}

Json collector_json(const CollectorInfo& collector) {
  return {{"name", utf8_text(collector.name)},
          {"title", utf8_text(collector.title)},
          {"unit", utf8_text(collector.unit)},
          {"scope", utf8_text(collector.scope)},
          {"integrity", utf8_text(collector.integrity)},
          {"slowdown_class", utf8_text(collector.slowdown_class)}};
}

Json resource_usage_json(const std::optional<ResourceUsage>& usage) {
  if (!usage) return nullptr;
  return {{"user_cpu_ns", usage->user_cpu_ns},
          {"system_cpu_ns", usage->system_cpu_ns},
          {"max_resident_bytes", usage->max_resident_bytes},
          {"minor_faults", usage->minor_faults},
          {"major_faults", usage->major_faults},
          {"voluntary_switches", usage->voluntary_switches},
          {"involuntary_switches", usage->involuntary_switches}};
}

Json repeat_json(const RepeatSummary& repeat) {
  Json statistics = Json::array();
  for (const RepeatStatistic& statistic : repeat.statistics)
    statistics.push_back(Json{{"name", utf8_text(statistic.name)},
                              {"mean", statistic.mean},
                              {"standard_deviation", statistic.standard_deviation},
                              {"minimum", statistic.minimum},
                              {"maximum", statistic.maximum}});
  return {{"runs", repeat.runs}, {"statistics", std::move(statistics)}};
}

Json calibrated_json(const CalibratedEstimate& estimate) {
  return {{"operations_estimate", estimate.operations},
          {"relative_error", estimate.relative_error},
          {"calibration",
           {{"file", utf8_text(estimate.calibration_file)},
            {"build_id", utf8_text(estimate.build_id)}}}};
}

Json estimate_json(const OperationsEstimate& estimate) {
  Json events = Json::array();
  for (const EstimatedShare& share : estimate.events)
    events.push_back(Json{{"event", utf8_text(share.event)},
                          {"meaning", utf8_text(share.meaning)},
                          {"operations_each", share.operations_each},
                          {"count", share.count},
                          {"operations", share.operations}});
  return {{"operations_estimate", estimate.operations_estimate},
          {"further_runs", estimate.further_runs},
          {"events", std::move(events)}};
}

Json samples_json(const FormulaSamples& samples) {
  return {{"instructions", samples[0]},
          {"loads", samples[1]},
          {"stores", samples[2]},
          {"branches", samples[3]}};
}

Json sampled_json(const SampledFunctions& sampled) {
  Json functions = Json::array();
  for (const SampledFunction& function : sampled.functions)
    functions.push_back(
        Json{{"image", utf8_text(function.image)},
             {"build_id", function.build_id.empty() ? Json(nullptr) : Json(function.build_id)},
             {"name", utf8_text(function.name)},
             {"samples", samples_json(function.samples)},
             {"bops_formula_estimate", function.estimate.bops_formula},
             {"standard_error", function.estimate.standard_error},
             {"enough_samples", function.has_enough()}});
  Json skidding = Json::array();
  for (const std::string& event : sampled.skidding) skidding.push_back(utf8_text(event));
  return {{"period", sampled.period},
          {"samples", samples_json(sampled.all())},
          {"lost", sampled.lost},
          {"threads_without", sampled.threads_without},
          {"skidding", std::move(skidding)},
          {"functions", std::move(functions)}};
}

Json command_json(const std::optional<std::vector<std::string>>& command) {
  if (!command) return nullptr;
  Json words = Json::array();
  for (const std::string& word : *command) words.push_back(utf8_text(word));
  return words;
}

template <class Rows, class Convert>
Json array_of(const Rows& rows, Convert convert) {
  Json array = Json::array();
  for (const auto& row : rows) array.push_back(convert(row));
  return array;
}

Json totals_json(const RunRecord& record) {
  Json totals = Json::object();
  append_counts(totals, record.counts.totals(), record.counts.quality != Quality::kMissing);
  totals["cycles"] = or_null(record.cycles);
  totals["bops_per_second"] = or_null(bops_per_second(record));
  return totals;
}

Json labels_json(const std::map<std::string, std::string>& labels) {
  Json object = Json::object();
  for (const auto& [key, value] : labels) object[utf8_text(key)] = utf8_text(value);
  return object;
}

Json warning_json(const Warning& warning) {
  return {{"code", utf8_text(warning.code)}, {"message", utf8_text(warning.message)}};
}

}  // namespace

Json to_json(const HostIdentity& host) {
  return {{"name", utf8_text(host.name)},
          {"cpu",
           {{"vendor", utf8_text(host.cpu.vendor)},
            {"family", host.cpu.family},
            {"model", host.cpu.model},
            {"stepping", host.cpu.stepping},
            {"name", utf8_text(host.cpu.name)}}},
          {"kernel", utf8_text(host.kernel)}};
}

Json to_json(const RunRecord& record) {
  const RunCounts& counts = record.counts;
  const bool measured = counts.quality != Quality::kMissing;
  Json document;
  document["schema"] = "bops.run.v1";
  document["tool"] = {{"version", utf8_text(record.tool_version)}};
  document["command"] = command_json(record.command);
  document["started"] = utf8_text(record.started);
  document["wall_ns"] = record.wall_ns;
  document["time_is_the_targets"] = record.time_is_the_targets;
  document["exit"] = {{"code", or_null(record.exit.code)}, {"signal", or_null(record.exit.signal)}};
  document["host"] = to_json(record.host);
  document["labels"] = labels_json(record.labels);
  document["collectors"] = array_of(record.collectors, collector_json);
  document["quality"] = to_string(counts.quality);
  document["totals"] = totals_json(record);
  document["processes"] = array_of(counts.processes, [measured](const ProcessCounts& process) {
    return process_json(process, measured);
  });
  document["threads"] = array_of(counts.threads, [measured](const ThreadCounts& thread) {
    return thread_json(thread, measured);
  });
  document["images"] = array_of(
      counts.images, [measured](const ImageCounts& image) { return image_json(image, measured); });
  document["functions"] = array_of(counts.functions, [measured](const FunctionCounts& function) {
    return function_json(function, measured);
  });
  document["regions"] = array_of(counts.regions, [measured](const RegionCounts& region) {
    return region_json(region, measured);
  });
  document["gpus"] = array_of(counts.gpus, gpu_json);
  if (const auto combined = combined_bops(record))
    document["combined"] = {{"bops_formula", or_null(combined->bops_formula)},
                            {"how", utf8_text(combined->how)}};
  if (!counts.instruments.empty())
    document["instruments"] = array_of(counts.instruments, [measured](const ImageCounts& image) {
      return image_json(image, measured);
    });
  document["rusage"] = resource_usage_json(record.resource_usage);
  if (record.repeat) document["repeat"] = repeat_json(*record.repeat);
  if (record.calibrated) document["calibrated"] = calibrated_json(*record.calibrated);
  if (counts.operations_estimate) document["vector"] = estimate_json(*counts.operations_estimate);
  if (counts.sampled) document["sampled"] = sampled_json(*counts.sampled);
  document["warnings"] = array_of(all_warnings(record), warning_json);
  return document;
}

Json to_json(const IntervalRecord& interval) {
  const bool measured = interval.quality != Quality::kMissing;
  Json document;
  document["schema"] = "bops.interval.v1";
  document["index"] = interval.index;
  document["start_ns"] = interval.start_ns;
  document["end_ns"] = interval.end_ns;
  document["totals"] = Json::object();
  append_counts(document["totals"], interval.totals, measured);
  document["threads"] = array_of(interval.threads, [measured](const ThreadCounts& thread) {
    return thread_json(thread, measured);
  });
  document["gpus"] = array_of(interval.gpus, gpu_interval_json);
  document["quality"] = to_string(interval.quality);
  return document;
}

// Pure ASCII (the last argument of dump), so that no control character of a name reaches a
// terminal, whatever its encoding.
std::string render_json(const RunRecord& record, const RenderOptions& /*options*/) {
  return to_json(record).dump(2, ' ', true) + '\n';
}

std::string render_json_line(const RunRecord& record) {
  return to_json(record).dump(-1, ' ', true) + '\n';
}

std::string render_json_line(const IntervalRecord& interval) {
  return to_json(interval).dump(-1, ' ', true) + '\n';
}

}  // namespace bops

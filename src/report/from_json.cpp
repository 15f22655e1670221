// Reading records back: bytes from outside, believed only as far as they agree with each other.
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "model/bops.hpp"
#include "report/gpu_json.hpp"
#include "report/json.hpp"
#include "report/json_node.hpp"
#include "report/missing.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

template <class Read>
auto read_array(const JsonNode& node, Read read) {
  std::vector<decltype(read(node))> rows;
  const std::size_t size = node.size();
  rows.reserve(size);
  for (std::size_t index = 0; index < size; ++index) rows.push_back(read(node.element(index)));
  return rows;
}

std::string text_or_empty(const JsonNode& node) {
  return node.is_null() ? "" : node.text();
}

std::optional<Operations> read_operations(const JsonNode& node) {
  if (node.is_null()) return std::nullopt;
  Operations operations;
  operations.integer = node.member("integer").integer<std::uint64_t>();
  operations.floating_point = node.member("floating_point").integer<std::uint64_t>();
  operations.address = node.member("address").integer<std::uint64_t>();
  const JsonNode total = node.member("total");
  if (total.integer<std::uint64_t>() != operations.total())
    total.complain("must be integer + floating_point + address");
  return operations;
}

std::optional<InstructionClasses> read_classes(const JsonNode& node) {
  if (node.is_null()) return std::nullopt;
  InstructionClasses classes;
  classes.branch = node.member("branch").integer<std::uint64_t>();
  classes.load = node.member("load").integer<std::uint64_t>();
  classes.store = node.member("store").integer<std::uint64_t>();
  classes.load_store = node.member("load_store").integer<std::uint64_t>();
  classes.floating_point = node.member("floating_point").integer<std::uint64_t>();
  classes.integer = node.member("integer").integer<std::uint64_t>();
  classes.other = node.member("other").integer<std::uint64_t>();
  return classes;
}

Counts read_counts(const JsonNode& row, bool measured) {
  static constexpr std::array<std::string_view, 7> kFields{
      "instructions",       "loads", "stores", "branches", "bops_formula", "operations",
      "instruction_classes"};
  if (!measured) {
    for (const std::string_view field : kFields)
      if (const JsonNode number = row.member(field); !number.is_null())
        number.complain("must be null where nothing was counted");
    return {};
  }
  Counts counts;
  counts.instructions.total = row.member("instructions").integer<std::uint64_t>();
  counts.instructions.loads = row.member("loads").integer<std::uint64_t>();
  counts.instructions.stores = row.member("stores").integer<std::uint64_t>();
  counts.instructions.branches = row.member("branches").integer<std::uint64_t>();
  const JsonNode formula = row.member("bops_formula");
  if (formula.integer<std::int64_t>() != bops_formula(counts.instructions))
    formula.complain("must be instructions - loads - stores - branches");
  counts.operations = read_operations(row.member("operations"));
  counts.classes = read_classes(row.member("instruction_classes"));
  return counts;
}

Work read_work(const JsonNode& node) {
  Work work;
  node.for_each_member([&work](std::string unit, const JsonNode& amount) {
    work.insert_or_assign(std::move(unit), amount.integer<std::uint64_t>());
  });
  return work;
}

ThreadCounts read_thread(const JsonNode& row, bool measured) {
  ThreadCounts thread;
  thread.pid = row.member("pid").integer<pid_t>();
  thread.tid = row.member("tid").integer<pid_t>();
  thread.name = row.member("name").text();
  thread.start_ns = row.member("start_ns").integer<std::uint64_t>();
  thread.end_ns = row.member("end_ns").integer_or_null<std::uint64_t>();
  thread.via = row.member("via").text();
  thread.counted = measured && !row.member("instructions").is_null();
  thread.counts = read_counts(row, thread.counted);
  if (const JsonNode work = row.member_or_null("work"); !work.is_null())
    thread.work = read_work(work);
  return thread;
}

ProcessCounts read_process(const JsonNode& row, bool measured) {
  ProcessCounts process;
  process.pid = row.member("pid").integer<pid_t>();
  process.ppid = row.member("ppid").integer<pid_t>();
  process.executable = row.member("executable").text();
  process.counted = row.member("counted").boolean();
  process.reason = text_or_empty(row.member("reason"));
  process.start_ns = row.member("start_ns").integer<std::uint64_t>();
  process.end_ns = row.member("end_ns").integer_or_null<std::uint64_t>();
  process.counts = read_counts(row, measured && process.counted);
  return process;
}

ImageCounts read_image(const JsonNode& row, bool measured) {
  ImageCounts image;
  image.path = row.member("path").text();
  image.build_id = text_or_empty(row.member("build_id"));
  image.counts = read_counts(row, measured);
  return image;
}

FunctionCounts read_function(const JsonNode& row, bool measured) {
  return {row.member("image").text(), row.member("name").text(), read_counts(row, measured)};
}

RegionCounts read_region(const JsonNode& row, bool measured) {
  RegionCounts region;
  region.name = row.member("name").text();
  region.pid = row.member("pid").integer<pid_t>();
  region.tid = row.member("tid").integer<pid_t>();
  region.thread_start_ns = row.member("thread_start_ns").integer<std::uint64_t>();
  region.entries = row.member("entries").integer<std::uint64_t>();
  region.work = read_work(row.member("work"));
  region.counted = measured && !row.member("instructions").is_null();
  region.counts = read_counts(row, region.counted);
  return region;
}

CollectorInfo read_collector(const JsonNode& row) {
  return {row.member("name").text(),      text_or_empty(row.member_or_null("title")),
          row.member("unit").text(),      row.member("scope").text(),
          row.member("integrity").text(), row.member("slowdown_class").text()};
}

HostIdentity read_host(const JsonNode& node) {
  HostIdentity host;
  host.name = node.member("name").text();
  host.kernel = node.member("kernel").text();
  const JsonNode cpu = node.member("cpu");
  host.cpu.vendor = cpu.member("vendor").text();
  host.cpu.family = cpu.member("family").integer<std::uint32_t>();
  host.cpu.model = cpu.member("model").integer<std::uint32_t>();
  host.cpu.stepping = cpu.member("stepping").integer<std::uint32_t>();
  host.cpu.name = cpu.member("name").text();
  return host;
}

Quality read_quality(const JsonNode& node) {
  const std::string word = node.text();
  for (const Quality quality : {Quality::kExact, Quality::kApproximate, Quality::kScaled,
                                Quality::kPartial, Quality::kMissing})
    if (word == to_string(quality)) return quality;
  node.complain("must be exact, approximate, scaled, partial or missing");
  return Quality::kMissing;
}

std::optional<ResourceUsage> read_resource_usage(const JsonNode& node) {
  if (node.is_null()) return std::nullopt;
  ResourceUsage usage;
  usage.user_cpu_ns = node.member("user_cpu_ns").integer<std::uint64_t>();
  usage.system_cpu_ns = node.member("system_cpu_ns").integer<std::uint64_t>();
  usage.max_resident_bytes = node.member("max_resident_bytes").integer<std::uint64_t>();
  usage.minor_faults = node.member("minor_faults").integer<std::uint64_t>();
  usage.major_faults = node.member("major_faults").integer<std::uint64_t>();
  usage.voluntary_switches = node.member("voluntary_switches").integer<std::uint64_t>();
  usage.involuntary_switches = node.member("involuntary_switches").integer<std::uint64_t>();
  return usage;
}

RepeatStatistic read_statistic(const JsonNode& row) {
  RepeatStatistic statistic;
  statistic.name = row.member("name").text();
  statistic.mean = row.member("mean").finite_number();
  statistic.standard_deviation = row.member("standard_deviation").finite_number();
  statistic.minimum = row.member("minimum").finite_number();
  statistic.maximum = row.member("maximum").finite_number();
  return statistic;
}

std::optional<RepeatSummary> read_repeat(const JsonNode& node) {
  if (node.is_null()) return std::nullopt;
  return RepeatSummary{node.member("runs").integer<std::uint32_t>(),
                       read_array(node.member("statistics"), read_statistic)};
}

std::optional<CalibratedEstimate> read_calibrated(const JsonNode& node) {
  if (node.is_null()) return std::nullopt;
  const JsonNode calibration = node.member("calibration");
  const JsonNode error = node.member("relative_error");
  if (error.finite_number() < 0) error.complain("must not be negative");
  return CalibratedEstimate{node.member("operations_estimate").integer<std::uint64_t>(),
                            error.finite_number(), calibration.member("file").text(),
                            calibration.member("build_id").text()};
}

std::optional<OperationsEstimate> read_estimate(const JsonNode& node) {
  if (node.is_null()) return std::nullopt;
  OperationsEstimate estimate;
  estimate.operations_estimate = node.member("operations_estimate").integer<std::uint64_t>();
  estimate.further_runs = node.member("further_runs").integer<std::uint32_t>();
  estimate.events = read_array(node.member("events"), [](const JsonNode& row) {
    return EstimatedShare{row.member("event").text(), row.member("meaning").text(),
                          row.member("operations_each").finite_number(),
                          row.member("count").integer<std::uint64_t>(),
                          row.member("operations").integer<std::uint64_t>()};
  });
  std::uint64_t sum = 0;
  for (const EstimatedShare& share : estimate.events) sum += share.operations;
  if (sum != estimate.operations_estimate)
    node.member("operations_estimate").complain("must be the sum of the events' operations");
  return estimate;
}

ExitStatus read_exit(const JsonNode& node) {
  ExitStatus exit{node.member("code").integer_or_null<int>(),
                  node.member("signal").integer_or_null<int>()};
  if (exit.code && exit.signal) node.complain("must not have both a code and a signal");
  return exit;
}

Counts sum_of(const std::vector<FunctionCounts>& functions) {
  Counts sum = Counts::exact_zero();
  for (const FunctionCounts& function : functions) sum += function.counts;
  return sum;
}

void check_threads_of_regions(const JsonNode& regions, const RunCounts& counts) {
  std::set<std::tuple<pid_t, pid_t, std::uint64_t>> threads;
  for (const ThreadCounts& thread : counts.threads)
    threads.emplace(thread.pid, thread.tid, thread.start_ns);
  for (std::size_t index = 0; index < counts.regions.size(); ++index) {
    const RegionCounts& region = counts.regions[index];
    if (!threads.contains({region.pid, region.tid, region.thread_start_ns}))
      regions.element(index).complain("must belong to one of the threads");
  }
}

RunCounts read_run_counts(const JsonNode& root) {
  RunCounts counts;
  counts.quality = read_quality(root.member("quality"));
  const bool measured = counts.quality != Quality::kMissing;
  const auto with = [measured](auto read) {
    return [measured, read](const JsonNode& row) { return read(row, measured); };
  };
  counts.processes = read_array(root.member("processes"), with(read_process));
  counts.threads = read_array(root.member("threads"), with(read_thread));
  const bool all_counted = counts.quality < Quality::kPartial;
  for (std::size_t index = 0; all_counted && index < counts.threads.size(); ++index)
    if (!counts.threads[index].counted)
      root.member("threads").element(index).member("instructions").complain("must not be null");
  counts.images = read_array(root.member("images"), with(read_image));
  const JsonNode functions = root.member("functions");
  counts.functions = read_array(functions, with(read_function));
  if (!counts.functions.empty() && sum_of(counts.functions) != counts.totals() && measured)
    functions.complain("must sum to the totals");
  const JsonNode regions = root.member("regions");
  counts.regions = read_array(regions, with(read_region));
  check_threads_of_regions(regions, counts);
  counts.gpus = read_array(root.member("gpus"), read_gpu);
  if (const JsonNode instruments = root.member_or_null("instruments"); !instruments.is_null())
    counts.instruments = read_array(instruments, with(read_image));
  const JsonNode totals = root.member("totals");
  if (read_counts(totals, measured) != counts.totals() && measured)
    totals.complain("must be the sum of the threads");
  return counts;
}

RunRecord read_record(const JsonNode& root) {
  RunRecord record;
  if (const JsonNode schema = root.member("schema"); schema.text() != "bops.run.v1")
    schema.complain("must be bops.run.v1");
  record.tool_version = root.member("tool").member("version").text();
  if (const JsonNode command = root.member("command"); !command.is_null())
    record.command = read_array(command, [](const JsonNode& word) { return word.text(); });
  record.started = root.member("started").text();
  record.wall_ns = root.member("wall_ns").integer<std::uint64_t>();
  record.time_is_the_targets = root.member("time_is_the_targets").boolean();
  record.exit = read_exit(root.member("exit"));
  record.host = read_host(root.member("host"));
  root.member("labels").for_each_member([&record](std::string key, const JsonNode& value) {
    record.labels.insert_or_assign(std::move(key), value.text());
  });
  record.collectors = read_array(root.member("collectors"), read_collector);
  record.counts = read_run_counts(root);
  record.counts.operations_estimate = read_estimate(root.member_or_null("vector"));
  record.cycles = root.member("totals").member("cycles").integer_or_null<std::uint64_t>();
  const JsonNode rate = root.member("totals").member("bops_per_second");
  if (rate.integer_or_null<std::int64_t>() != bops_per_second(record))
    rate.complain(
        "must be bops_formula per second of wall_ns, null where the time is not the target's");
  record.resource_usage = read_resource_usage(root.member("rusage"));
  record.repeat = read_repeat(root.member_or_null("repeat"));
  record.calibrated = read_calibrated(root.member_or_null("calibrated"));
  record.warnings = read_array(root.member("warnings"), [](const JsonNode& row) {
    return Warning{row.member("code").text(), row.member("message").text()};
  });
  const JsonNode combined = root.member_or_null("combined");
  if (const auto expected = combined_bops(record); expected.has_value() == combined.is_null())
    combined.complain("must be there where there are gpus, and only there");
  else if (expected && combined.member("bops_formula").integer_or_null<std::int64_t>() !=
                           expected->bops_formula)
    combined.member("bops_formula").complain("must be the sum of the CPU's and the GPUs'");
  return record;
}

/// The last line of an --interval file; any other text as it is.
std::string_view record_part(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const std::size_t last_line = text.rfind('\n');
  if (text.starts_with(R"({"schema":"bops.interval.v1")") && last_line != std::string_view::npos)
    return text.substr(last_line + 1);
  return text;
}

}  // namespace

Result<RunRecord> from_json(std::string_view text) {
  constexpr const char* kRemedy = "use an unchanged record that bops wrote (schema bops.run.v1)";
  Json document;
  try {
    document = Json::parse(record_part(text));
  } catch (const Json::parse_error& error) {
    return failure("the record is not JSON: error at byte " + std::to_string(error.byte), kRemedy);
  } catch (const Json::out_of_range&) {
    return failure("the record is not JSON that bops writes: a number is beyond 1.8e308", kRemedy);
  }
  std::optional<Error> first_error;
  RunRecord record = read_record(JsonNode(document, "", first_error));
  if (first_error) return tl::unexpected<Error>(*std::move(first_error));
  return record;
}

}  // namespace bops

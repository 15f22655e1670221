// Records become JSON and come back the same.
#include "report/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/bops.hpp"
#include "report/missing.hpp"
#include "report/repeat.hpp"
#include "sample_records.hpp"

namespace bops {
namespace {

using Json = nlohmann::ordered_json;

void expect_same(const CollectorInfo& a, const CollectorInfo& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.title, b.title);
  EXPECT_EQ(a.unit, b.unit);
  EXPECT_EQ(a.scope, b.scope);
  EXPECT_EQ(a.integrity, b.integrity);
  EXPECT_EQ(a.slowdown_class, b.slowdown_class);
}

void expect_same(const HostIdentity& a, const HostIdentity& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.kernel, b.kernel);
  EXPECT_EQ(a.cpu.vendor, b.cpu.vendor);
  EXPECT_EQ(a.cpu.family, b.cpu.family);
  EXPECT_EQ(a.cpu.model, b.cpu.model);
  EXPECT_EQ(a.cpu.stepping, b.cpu.stepping);
  EXPECT_EQ(a.cpu.name, b.cpu.name);
}

void expect_same(const ProcessCounts& a, const ProcessCounts& b) {
  EXPECT_EQ(a.pid, b.pid);
  EXPECT_EQ(a.ppid, b.ppid);
  EXPECT_EQ(a.executable, b.executable);
  EXPECT_EQ(a.counted, b.counted);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.start_ns, b.start_ns);
  EXPECT_EQ(a.end_ns, b.end_ns);
  EXPECT_EQ(a.counts, b.counts);
}

void expect_same(const ThreadCounts& a, const ThreadCounts& b) {
  EXPECT_EQ(a.pid, b.pid);
  EXPECT_EQ(a.tid, b.tid);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.start_ns, b.start_ns);
  EXPECT_EQ(a.end_ns, b.end_ns);
  EXPECT_EQ(a.via, b.via);
  EXPECT_EQ(a.counts, b.counts);
  EXPECT_EQ(a.work, b.work);
}

void expect_same(const ImageCounts& a, const ImageCounts& b) {
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.build_id, b.build_id);
  EXPECT_EQ(a.counts, b.counts);
}

void expect_same(const FunctionCounts& a, const FunctionCounts& b) {
  EXPECT_EQ(a.image, b.image);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.counts, b.counts);
}

void expect_same(const RegionCounts& a, const RegionCounts& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.pid, b.pid);
  EXPECT_EQ(a.tid, b.tid);
  EXPECT_EQ(a.thread_start_ns, b.thread_start_ns);
  EXPECT_EQ(a.entries, b.entries);
  EXPECT_EQ(a.work, b.work);
  EXPECT_EQ(a.counts, b.counts);
}

void expect_same(const ResourceUsage& a, const ResourceUsage& b) {
  EXPECT_EQ(a.user_cpu_ns, b.user_cpu_ns);
  EXPECT_EQ(a.system_cpu_ns, b.system_cpu_ns);
  EXPECT_EQ(a.max_resident_bytes, b.max_resident_bytes);
  EXPECT_EQ(a.minor_faults, b.minor_faults);
  EXPECT_EQ(a.major_faults, b.major_faults);
  EXPECT_EQ(a.voluntary_switches, b.voluntary_switches);
  EXPECT_EQ(a.involuntary_switches, b.involuntary_switches);
}

void expect_same(const RepeatStatistic& a, const RepeatStatistic& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.standard_deviation, b.standard_deviation);
  EXPECT_EQ(a.minimum, b.minimum);
  EXPECT_EQ(a.maximum, b.maximum);
}

template <class Row>
void expect_same(const std::vector<Row>& a, const std::vector<Row>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t index = 0; index < a.size(); ++index) expect_same(a[index], b[index]);
}

void expect_same(const RepeatSummary& a, const RepeatSummary& b) {
  EXPECT_EQ(a.runs, b.runs);
  expect_same(a.statistics, b.statistics);
}

template <class Part>
void expect_same(const std::optional<Part>& a, const std::optional<Part>& b) {
  ASSERT_EQ(a.has_value(), b.has_value());
  if (a) expect_same(*a, *b);
}

void expect_same(const RunRecord& a, const RunRecord& b) {
  EXPECT_EQ(a.tool_version, b.tool_version);
  EXPECT_EQ(a.command, b.command);
  EXPECT_EQ(a.started, b.started);
  EXPECT_EQ(a.wall_ns, b.wall_ns);
  EXPECT_EQ(a.exit, b.exit);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.time_is_the_targets, b.time_is_the_targets);
  EXPECT_EQ(a.cycles, b.cycles);
  EXPECT_EQ(a.warnings, b.warnings);
  EXPECT_EQ(a.counts.quality, b.counts.quality);
  expect_same(a.host, b.host);
  expect_same(a.collectors, b.collectors);
  expect_same(a.counts.processes, b.counts.processes);
  expect_same(a.counts.threads, b.counts.threads);
  expect_same(a.counts.images, b.counts.images);
  expect_same(a.counts.functions, b.counts.functions);
  expect_same(a.counts.regions, b.counts.regions);
  expect_same(a.resource_usage, b.resource_usage);
  expect_same(a.repeat, b.repeat);
  EXPECT_EQ(a.calibrated, b.calibrated);
  EXPECT_EQ(a.counts.operations_estimate, b.counts.operations_estimate);
}

void expect_round_trip(const RunRecord& record) {
  for (const std::string& text : {render_json(record, {}), render_json_line(record)}) {
    const Result<RunRecord> reread = from_json(text);
    ASSERT_TRUE(reread) << reread.error().message;
    expect_same(record, *reread);
    EXPECT_EQ(render_json(*reread, {}), render_json(record, {}));
  }
}

TEST(Json, a_decoded_run_comes_back_unchanged) {
  expect_round_trip(samples::decoded_run());
}

TEST(Json, a_run_with_repeats_and_a_signal_comes_back_unchanged) {
  expect_round_trip(samples::hardware_run());
}

TEST(Json, a_run_without_counts_comes_back_unchanged) {
  expect_round_trip(samples::missing_run());
}

TEST(Json, invalid_utf8_and_limits_of_integers_come_back_unchanged) {
  expect_round_trip(samples::hostile_run());
}

TEST(Json, every_quality_comes_back_unchanged) {
  for (const Quality quality : {Quality::kExact, Quality::kApproximate, Quality::kScaled}) {
    RunRecord record = samples::decoded_run();
    record.counts.quality = quality;
    expect_round_trip(record);
  }
}

TEST(Json, is_pure_ascii_without_control_characters_but_newlines) {
  for (const char byte : render_json(samples::hostile_run(), {}))
    EXPECT_TRUE((byte >= ' ' && byte < '\x7f') || byte == '\n') << static_cast<int>(byte);
}

TEST(Json, counts_are_integers_of_64_bits) {
  const Json document = to_json(samples::hostile_run());
  EXPECT_EQ(document["totals"]["cycles"].dump(), "18446744073709551615");
  EXPECT_EQ(document["totals"]["operations"]["total"].dump(), "18446744073709551615");
  EXPECT_EQ(document["totals"]["bops_formula"].dump(), "-600");
}

TEST(Json, what_was_not_counted_is_null_and_never_0) {
  const Json missing = to_json(samples::missing_run());
  for (const auto& [name, value] : missing["totals"].items()) EXPECT_TRUE(value.is_null()) << name;
  const Json uncounted = to_json(samples::decoded_run())["processes"][1];
  ASSERT_FALSE(uncounted["counted"].get<bool>());
  for (const char* field : {"instructions", "loads", "stores", "branches", "bops_formula",
                            "operations", "instruction_classes"})
    EXPECT_TRUE(uncounted[field].is_null()) << field;
}

TEST(Json, rates_are_given_only_where_the_time_is_the_programs_own) {
  RunRecord record = samples::hardware_run();
  EXPECT_EQ(to_json(record)["totals"]["bops_per_second"], 3'600'000);
  record.time_is_the_targets = false;
  EXPECT_TRUE(to_json(record)["totals"]["bops_per_second"].is_null());
}

TEST(Json, a_record_without_a_command_has_null_and_no_arguments_anywhere) {
  RunRecord record = samples::decoded_run();
  record.command.reset();
  EXPECT_TRUE(to_json(record)["command"].is_null());
  EXPECT_EQ(render_json(record, {}).find("two words"), std::string::npos);
}

TEST(Json, warnings_of_the_counts_are_told_once) {
  RunRecord record = samples::decoded_run();
  const std::size_t before = to_json(record)["warnings"].size();
  record.counts.warnings = {record.warnings.front(), {"from_the_collector", "something"}};
  EXPECT_EQ(to_json(record)["warnings"].size(), before + 1);
  EXPECT_EQ(to_json(record)["warnings"].back()["code"], "from_the_collector");
}

TEST(Json, regions_stand_as_the_run_record_says) {
  const Json region = to_json(samples::decoded_run())["regions"][0];
  EXPECT_EQ(region["name"], "request");
  EXPECT_EQ(region["entries"], 4);
  EXPECT_EQ(region["work"].dump(), R"({"requests":4,"tokens":128})");
  EXPECT_EQ(region["bops_formula"], 4'800'000);
  EXPECT_EQ(region["operations"]["total"], 4'800'000);
}

TEST(Json, a_record_of_a_version_without_work_is_read) {
  Json document = to_json(samples::decoded_run());
  ASSERT_EQ(document["threads"][0].erase("work"), 1U);
  const Result<RunRecord> record = from_json(document.dump());
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_TRUE(record->counts.threads[0].work.empty());
}

TEST(Json, an_interval_is_one_line_whose_threads_sum_to_its_totals) {
  const std::string line = render_json_line(samples::interval());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Json document = Json::parse(line);
  EXPECT_EQ(document["schema"], "bops.interval.v1");
  EXPECT_EQ(document["totals"]["instructions"], document["threads"][0]["instructions"]);
  EXPECT_EQ(document["totals"]["bops_formula"], 3600);
}

TEST(Json, the_record_at_the_end_of_an_interval_file_is_found) {
  const std::string line = render_json_line(samples::interval());
  const Result<RunRecord> record =
      from_json(line + line + render_json_line(samples::decoded_run()));
  ASSERT_TRUE(record) << record.error().message;
  expect_same(*record, samples::decoded_run());
  EXPECT_FALSE(from_json(line + line)) << "an interval is no record";
}

TEST(Json, gpus_come_back_as_they_were_written) {
  const Result<RunRecord> record = from_json(render_json(samples::gpu_run(), {}));
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->counts.gpus, samples::gpu_run().counts.gpus);
  ASSERT_EQ(record->counts.instruments.size(), 1U);
  EXPECT_EQ(record->counts.instruments[0].path, samples::gpu_run().counts.instruments[0].path);
  EXPECT_EQ(render_json(*record, {}), render_json(samples::gpu_run(), {}));
}

TEST(Json, a_gpu_whose_numbers_contradict_each_other_is_refused) {
  const Json good = to_json(samples::gpu_run());
  const auto refused = [&good](auto damage) {
    Json document = good;
    damage(document["gpus"][0]);
    return !from_json(document.dump()).has_value();
  };
  EXPECT_TRUE(refused([](Json& gpu) { gpu["warp"]["bops_formula"] = 1; }));
  EXPECT_TRUE(refused([](Json& gpu) { gpu["counted"] = 1'000'000; }));
  EXPECT_TRUE(refused([](Json& gpu) { gpu["kernels"][0]["launches"] = 1; }));
  EXPECT_TRUE(refused([](Json& gpu) { gpu["kernels"][0]["grid"] = {1, 2}; }));
  EXPECT_TRUE(refused([](Json& gpu) { gpu["operations"][0] = gpu["operations"][1]; }));
  Json document = good;
  document["combined"]["bops_formula"] = 7;
  EXPECT_FALSE(from_json(document.dump()));
  document.erase("combined");
  EXPECT_FALSE(from_json(document.dump()));
}

TEST(Json, cpu_and_gpus_are_one_sum_only_where_their_units_allow_it) {
  RunRecord record = samples::gpu_run();
  const std::int64_t cpu = bops_formula(record.counts.totals().instructions);
  const std::int64_t gpu = bops_formula(*record.counts.gpus[0].counts.warp);
  EXPECT_EQ(to_json(record)["combined"]["bops_formula"], cpu + gpu);
  record.collectors[0].unit = "retired_uops";
  EXPECT_TRUE(to_json(record)["combined"]["bops_formula"].is_null());
  record = samples::gpu_run();
  record.counts.gpus[0].counts.warp.reset();
  EXPECT_TRUE(to_json(record)["combined"]["bops_formula"].is_null());
  EXPECT_FALSE(to_json(samples::decoded_run()).contains("combined"));
}

}  // namespace
}  // namespace bops

// bops usage as an operator meets it.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/harness/subprocess.hpp"
#include "tests/usage/sample_usage.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::run;
using Words = std::vector<std::string>;

class UsageVerbs : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream file(records_);
    auto chain = samples::usage_chain(3, "/bops/a/b/c");
    chain[1].meter = "cpu_time";
    chain[2].meter = "tokens";
    chain[2].subject = "evil\"\\tenant, with commas";
    for (const UsageRecord& record : chain) file << usage_line(record) << '\n';
    file << "garbage\n";
  }
  static harness::Ended bops(Words words) {
    words.insert(words.begin(), {bops_program(), "usage"});
    return run(words);
  }
  harness::TemporaryDirectory directory_;
  const std::string records_ = directory_ / "r.jsonl";
  const std::string ledger_ = directory_ / "l.db";
};

TEST_F(UsageVerbs, import_tells_bad_lines_and_under_strict_by_its_status) {
  const auto plain = bops({"import", records_, "--ledger", ledger_});
  EXPECT_EQ(plain.code, 0);
  EXPECT_NE(plain.errors.find("line 4: "), std::string::npos) << plain.errors;
  const auto strict = bops({"import", records_, "--ledger", ledger_, "--strict", "--json"});
  EXPECT_EQ(strict.code, 1);
  const auto summary = nlohmann::json::parse(strict.output);
  EXPECT_EQ(summary.at("duplicates"), 3);
  EXPECT_EQ(summary.at("quarantined"), 1);
  EXPECT_NE(bops({"list", ledger_, "--quarantine"}).output.find("\t4\t"), std::string::npos);
  EXPECT_EQ(bops({"import", "/no/such/file", "--ledger", ledger_}).code, 125);
  EXPECT_EQ(bops({"import", records_, "--ledger", "/no/such/directory/l.db"}).code, 125);
}

TEST_F(UsageVerbs, list_show_and_export_give_what_went_in) {
  ASSERT_EQ(bops({"import", records_, "--ledger", ledger_}).code, 0);
  const std::string lines = harness::read_file(records_);
  const std::string good = lines.substr(0, lines.find("garbage"));
  EXPECT_EQ(bops({"export", ledger_}).output, good) << "to the byte";
  EXPECT_EQ(bops({"export", records_}).output, good) << "from the file itself";
  EXPECT_EQ(bops({"show", ledger_, "/bops/a/b/c", "0"}).output,
            good.substr(0, good.find('\n') + 1));
  EXPECT_EQ(bops({"show", ledger_, "/bops/a/b/c", "9"}).code, 125);
  const auto listed = bops({"list", ledger_, "--meter", "cpu_time"}).output;
  EXPECT_EQ(std::count(listed.begin(), listed.end(), '\n'), 1);
  const auto csv = bops({"export", ledger_, "--format", "csv"}).output;
  EXPECT_NE(csv.find("\"evil\"\"\\tenant, with commas\""), std::string::npos) << csv;
}

TEST_F(UsageVerbs, export_for_prometheus_is_what_its_own_tool_takes) {
  const std::string file = directory_ / "bops.prom";
  ASSERT_EQ(bops({"export", records_, "--format", "prometheus", "-o", file}).code, 0);
  const std::string text = harness::read_file(file);
  EXPECT_NE(text.find("bops_operations_total{kind=\"formula\",tenant=\"acme\",model=\"resnet50\"} "
                      "1000\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("bops_cpu_seconds_total{tenant=\"acme\",model=\"resnet50\"} 0.000001001\n"),
            std::string::npos)
      << text;
  const auto openmetrics = bops({"export", records_, "--format", "openmetrics"}).output;
  EXPECT_TRUE(openmetrics.ends_with("# EOF\n"));
  EXPECT_NE(openmetrics.find("# TYPE bops_operations counter\n"), std::string::npos);
  if (run({"sh", "-c", "command -v promtool"}).code != 0)
    GTEST_SKIP() << "promtool is not installed (apt-get install prometheus)";
  const auto checked = run({"sh", "-c", "promtool check metrics < " + file});
  EXPECT_EQ(checked.code, 0) << checked.output << checked.errors;
  EXPECT_EQ(checked.errors, "");
}

TEST_F(UsageVerbs, export_for_prometheus_has_gpus_in_base_units) {
  auto chain = samples::usage_chain(3, "/bops/a/b/c");
  chain[0].meter = "gpu_time";
  chain[0].unit = "ns";
  chain[1].meter = "gpu_warp_bops_formula";
  chain[2].meter = "gpu_thread_instructions";
  chain[2].unit = "instructions";
  {
    std::ofstream file(records_);
    for (const UsageRecord& record : chain) file << usage_line(record) << '\n';
  }
  const std::string text = bops({"export", records_, "--format", "prometheus"}).output;
  for (const char* sample :
       {"bops_gpu_seconds_total{tenant=\"acme\",model=\"resnet50\"} 0.000001000\n",
        "bops_gpu_operations_total{kind=\"formula\",level=\"warp\",tenant=\"acme\",model="
        "\"resnet50\"} 1001\n",
        "bops_gpu_instructions_total{level=\"thread\",tenant=\"acme\",model=\"resnet50\"} "
        "1002\n"})
    EXPECT_NE(text.find(sample), std::string::npos) << sample << text;
}

TEST_F(UsageVerbs, the_example_for_node_exporter_keeps_a_file_of_a_job_while_it_runs) {
  const std::string example = std::string(BOPS_EXAMPLES) + "/node_exporter";
  const std::string go = directory_ / "go", file = directory_ / "bops_j1.prom";
  harness::Subprocess job(
      {example, directory_.path(), "j1", "acme", directory_ / "job.jsonl", "--", "sh", "-c",
       "while [ ! -e " + go + " ]; do :; done"},
      {{"PATH", std::filesystem::path(bops_program()).parent_path().string() + ":/usr/bin:/bin"},
       {"BOPS_EXPORT_SECONDS", "1"},
       {"BOPS_STATE_DIR", directory_ / "state"},
       {"XDG_CONFIG_HOME", directory_ / "config"}});
  std::string text;
  while (text.find("bops_instructions_total{") == std::string::npos) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    text = harness::read_file(file);
  }
  EXPECT_NE(text.find("tenant=\"acme\""), std::string::npos) << text;
  std::ofstream(go).close();
  const auto ended = job.wait();
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_FALSE(std::filesystem::exists(file)) << "the job has ended";
}

TEST_F(UsageVerbs, summary_sums_by_hour_tenant_meter_and_model) {
  std::istringstream rows(bops({"summary", records_, "--json"}).output);
  std::size_t count = 0;
  for (std::string line; std::getline(rows, line); ++count) {
    const auto row = nlohmann::json::parse(line);
    EXPECT_EQ(row.at("hour"), "2026-11-22T19:00:00Z");
    EXPECT_EQ(row.at("model"), "resnet50");
    if (row.at("meter") == "tokens") {
      EXPECT_EQ(row.at("quantity"), "1002");
    }
  }
  EXPECT_EQ(count, 3U);
}

TEST_F(UsageVerbs, each_has_help) {
  for (const char* verb :
       {"keygen", "verify", "import", "list", "show", "resolve", "summary", "export", "push"})
    EXPECT_EQ(bops({verb, "--help"}).code, 0) << verb;
  EXPECT_EQ(bops({}).code, 125);
  EXPECT_EQ(bops({"verify", "/no/such/file", "--trusted", "/dev/null"}).code, 125);
  EXPECT_EQ(bops({"list", "/no/such/ledger.db"}).code, 125);
  EXPECT_EQ(bops({"push", ledger_, "--to", "kafka://"}).code, 125);
}

}  // namespace
}  // namespace bops

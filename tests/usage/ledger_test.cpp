// The ledger, on both databases.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/usage/postgresql_server.hpp"
#include "tests/usage/sample_usage.hpp"
#include "usage/digest.hpp"
#include "usage/import.hpp"
#include "usage/push.hpp"
#include "usage/summary.hpp"

namespace bops {
namespace {

using harness::TemporaryDirectory;

const UtcNs kNow = *parse_utc("2026-11-22T20:00:00Z");

std::vector<std::string> chained_lines(std::size_t count, const std::string& source) {
  std::vector<std::string> lines;
  std::string prev(kNoLine);
  for (UsageRecord& record : samples::usage_chain(count, source)) {
    record.prev = prev;
    lines.push_back(usage_line(record));
    prev = sha256_hex(lines.back());
  }
  return lines;
}

void write_lines(const std::string& path, const std::vector<std::string>& lines) {
  std::ofstream file(path, std::ios::binary);
  for (const std::string& line : lines) file << line << '\n';
}

class LedgerOf : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string("sqlite")) {
      where_ = directory_ / "ledger.db";
      return;
    }
    std::string why_not;
    server_ = harness::PostgresqlServer::start(why_not);
    if (!server_) GTEST_SKIP() << why_not;
    where_ = server_->url();
  }
  [[nodiscard]] std::unique_ptr<Ledger> ledger() const {
    auto opened = Ledger::open(where_, true);
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  ImportReport import(const std::vector<std::string>& paths) {
    problems_.clear();
    const auto opened = ledger();
    const auto report = import_records(
        *opened, paths, kNow, [&](const QuarantinedLine& line) { problems_.push_back(line); });
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : ImportReport{};
  }
  [[nodiscard]] std::vector<StoredRecord> all() const {
    std::vector<StoredRecord> records;
    EXPECT_TRUE(ledger()->for_each([&](const StoredRecord& record) -> Result<void> {
      records.push_back(record);
      return {};
    }));
    return records;
  }
  TemporaryDirectory directory_;
  std::unique_ptr<harness::PostgresqlServer> server_;
  std::string where_;
  std::vector<QuarantinedLine> problems_;
};

TEST_P(LedgerOf, keeps_exact_bytes_once_however_often_they_come) {
  const auto lines = chained_lines(50, "/bops/a/b/c");
  write_lines(directory_ / "r.jsonl", lines);
  EXPECT_EQ(import({directory_ / "r.jsonl"}).counts.added, 50U);
  const ImportReport again = import({directory_ / "r.jsonl", directory_.path()});
  EXPECT_EQ(again.counts.added, 0U);
  EXPECT_EQ(again.counts.duplicates, 100U);
  const auto stored = all();
  ASSERT_EQ(stored.size(), 50U);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(stored[i].line, lines[i]);
    EXPECT_EQ(stored[i].received, kNow);
    EXPECT_FALSE(stored[i].disputed);
  }
}

TEST_P(LedgerOf, keeps_both_of_a_disputed_key_whichever_came_first) {
  const auto lines = chained_lines(3, "/bops/a/b/c");
  auto changed = *parse_usage_line(lines[1]);
  changed.quantity += 1;
  write_lines(directory_ / "one.jsonl", lines);
  write_lines(directory_ / "two.jsonl", {usage_line(changed)});
  EXPECT_EQ(import({directory_ / "two.jsonl"}).counts.disputed, 0U);
  EXPECT_EQ(import({directory_ / "one.jsonl"}).counts.disputed, 1U);
  EXPECT_EQ(import({directory_ / "one.jsonl", directory_ / "two.jsonl"}).counts.disputed, 0U);
  std::size_t disputed = 0;
  for (const StoredRecord& record : all()) disputed += record.disputed ? 1 : 0;
  EXPECT_EQ(disputed, 2U);
  EXPECT_EQ(ledger()->with_key(changed.key)->size(), 2U);
  const auto summary = summarise_records(*ledger(), {});
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->disputed, 2U);
  EXPECT_EQ(summary->sums.begin()->second, WideSum{1000 + 1002}) << "without the disputed one";
}

TEST_P(LedgerOf, counts_the_one_of_a_disputed_key_that_somebody_decided_for) {
  const auto lines = chained_lines(3, "/bops/a/b/c");
  const auto changed_by = [&](std::uint64_t more) {
    auto changed = *parse_usage_line(lines[1]);
    changed.quantity += more;
    return usage_line(changed);
  };
  const UsageKey key = parse_usage_line(lines[1])->key;
  write_lines(directory_ / "one.jsonl", lines);
  write_lines(directory_ / "two.jsonl", {changed_by(100)});
  (void)import({directory_ / "one.jsonl"});
  EXPECT_FALSE(ledger()->resolve(key, sha256_hex(lines[1]), "why", kNow)) << "not disputed";
  (void)import({directory_ / "two.jsonl"});
  const auto sum = [&] { return summarise_records(*ledger(), {})->sums.begin()->second; };
  EXPECT_EQ(sum(), WideSum{1000 + 1002});
  EXPECT_FALSE(ledger()->resolve(key, std::string(64, '0'), "why", kNow)) << "nobody has it";
  EXPECT_TRUE(ledger()->resolve(key, sha256_hex(changed_by(100)), "ticket 1", kNow));
  EXPECT_EQ(sum(), WideSum{1000 + 1101 + 1002});
  EXPECT_EQ(summarise_records(*ledger(), {})->rejected, 1U);
  std::size_t rejected = 0;
  for (const StoredRecord& record : all()) {
    EXPECT_FALSE(record.disputed);
    rejected += record.rejected ? 1 : 0;
  }
  EXPECT_EQ(rejected, 1U);
  // The same again changes nothing; other bytes dispute it once more.
  (void)import({directory_ / "one.jsonl", directory_ / "two.jsonl"});
  EXPECT_EQ(sum(), WideSum{1000 + 1101 + 1002});
  write_lines(directory_ / "three.jsonl", {changed_by(200)});
  (void)import({directory_ / "three.jsonl"});
  EXPECT_EQ(sum(), WideSum{1000 + 1002});
  EXPECT_TRUE(ledger()->resolve(key, "", "ticket 2", kNow)) << "none of them";
  EXPECT_EQ(sum(), WideSum{1000 + 1002});
  EXPECT_EQ(summarise_records(*ledger(), {})->disputed, 0U);
  EXPECT_TRUE(ledger()->resolve(key, sha256_hex(lines[1]), "ticket 3", kNow)) << "the last holds";
  EXPECT_EQ(sum(), WideSum{1000 + 1001 + 1002});
  EXPECT_FALSE(ledger()->database().run("UPDATE resolutions SET reason = 'x'"));
  EXPECT_FALSE(ledger()->database().run("DELETE FROM resolutions"));
}

TEST_P(LedgerOf, lets_a_disputed_reversal_void_nothing_until_it_is_resolved) {
  auto lines = chained_lines(2, "/bops/a/b/c");
  auto reversal = nlohmann::ordered_json::parse(lines[1]);
  reversal["type"] = "bops.usage.reversal.v1";
  reversal["id"] = "2";
  reversal["data"] = {{"reverses", {{"source", "/bops/a/b/c"}, {"id", "1"}}}};
  const std::string first = reversal.dump();
  reversal["time"] = "2026-11-22T19:30:00Z";
  lines.insert(lines.end(), {first, reversal.dump()});
  write_lines(directory_ / "r.jsonl", lines);
  (void)import({directory_ / "r.jsonl"});
  EXPECT_EQ(summarise_records(*ledger(), {})->sums.begin()->second, WideSum{1000 + 1001});
  ASSERT_TRUE(ledger()->resolve({"/bops/a/b/c", "2"}, sha256_hex(first), "seen", kNow));
  EXPECT_EQ(summarise_records(*ledger(), {})->sums.begin()->second, WideSum{1000});
}

TEST_P(LedgerOf, puts_bad_lines_into_quarantine_and_takes_the_rest) {
  auto lines = chained_lines(4, "/bops/a/b/c");
  auto negative = nlohmann::ordered_json::parse(lines[0]);
  negative["id"] = "90";
  negative["data"]["quantity"] = "-5";
  auto unknown = nlohmann::ordered_json::parse(lines[0]);
  unknown["data"]["meter"] = "flops";
  auto back = nlohmann::ordered_json::parse(lines[0]);
  back["data"]["end"] = "2026-11-22T18:59:59Z";
  lines.insert(lines.begin() + 1, negative.dump());
  lines.insert(lines.begin() + 2, "not json");
  lines.insert(lines.begin() + 3, std::string("\xff\xfe\0 garbage", 11));
  lines.insert(lines.begin() + 4, unknown.dump());
  lines.push_back(std::string(300000, 'x'));
  lines.push_back(back.dump());
  lines.emplace_back("");
  write_lines(directory_ / "bad.jsonl", lines);
  const ImportReport report = import({directory_ / "bad.jsonl"});
  EXPECT_EQ(report.counts.added, 4U);
  ASSERT_EQ(report.counts.quarantined, 6U);
  const std::vector<std::uint64_t> at{2, 3, 4, 5, 9, 10};
  const std::vector<std::string> why{"negative", "JSON", "UTF-8", "flops", "65536", "before"};
  for (std::size_t i = 0; i < at.size(); ++i) {
    EXPECT_EQ(problems_.at(i).line, at[i]);
    EXPECT_NE(problems_.at(i).reason.find(why[i]), std::string::npos) << problems_.at(i).reason;
  }
  EXPECT_EQ(ledger()->quarantine()->size(), 6U);
  (void)import({directory_ / "bad.jsonl"});
  EXPECT_EQ(ledger()->quarantine()->size(), 6U) << "the same lines again";
  EXPECT_EQ(all().size(), 4U);
}

TEST_P(LedgerOf, takes_up_an_import_that_was_cut_off) {
  const auto lines = chained_lines(20, "/bops/a/b/c");
  write_lines(directory_ / "r.jsonl", lines);
  (void)import({directory_ / "r.jsonl"});
  {
    // As if the import had been killed behind line 7.
    const auto opened = ledger();
    auto progress = **opened->progress_of(directory_ / "r.jsonl");
    progress.done = false;
    progress.lines = 7;
    progress.offset = 0;
    for (std::size_t i = 0; i < 7; ++i) progress.offset += lines[i].size() + 1;
    LedgerBatch batch;
    batch.progress = progress;
    ASSERT_TRUE(opened->append(batch));
  }
  const ImportReport report = import({directory_ / "r.jsonl"});
  EXPECT_EQ(report.resumed, 7U);
  EXPECT_EQ(report.lines, 13U);
  EXPECT_EQ(import({directory_ / "r.jsonl"}).lines, 20U) << "it was done: all is read again";
}

TEST_P(LedgerOf, is_append_only) {
  write_lines(directory_ / "r.jsonl", chained_lines(3, "/bops/a/b/c"));
  (void)import({directory_ / "r.jsonl"});
  const auto opened = ledger();
  for (const char* statement :
       {"UPDATE records SET quantity = 1", "DELETE FROM records", "DELETE FROM sources",
        "UPDATE sources SET source = 'x'", "DELETE FROM records WHERE id = '1'"})
    EXPECT_FALSE(opened->database().run(statement)) << statement;
  if (GetParam() == std::string("sqlite"))
    (void)opened->database().run(
        "INSERT OR REPLACE INTO records SELECT n, source_n, id, sha256, 'forged', received_ns, "
        "seq, "
        "subject, meter, quantity, start_ns, end_ns, reverses_source, reverses_id FROM records");
  else
    EXPECT_FALSE(opened->database().run("TRUNCATE records CASCADE"));
  for (const StoredRecord& record : all()) EXPECT_NE(record.line, "forged");
  EXPECT_EQ(all().size(), 3U);
}

TEST_P(LedgerOf, of_an_older_schema_is_brought_up_to_date_with_what_it_holds) {
  {
    auto database =
        GetParam() == std::string("sqlite") ? open_sqlite(where_, true) : open_postgresql(where_);
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->run(ledger_migration(**database, 0)));
    ASSERT_TRUE((*database)->run("INSERT INTO sources (source) VALUES ('/bops/a/b/c')"));
    for (const char* sha : {"aa", "bb"})
      ASSERT_TRUE((*database)->run(
          std::string("INSERT INTO records (source_n, id, sha256, line, received_ns, seq, subject, "
                      "start_ns, end_ns) VALUES (1, '0', '") +
          sha + "', 'line', 1, 0, 'acme', 0, 0)"));
  }
  const auto stored = all();
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_TRUE(stored[0].disputed && stored[1].disputed) << "found when it was brought up to date";
  write_lines(directory_ / "r.jsonl", chained_lines(3, "/bops/x/y/z"));
  EXPECT_EQ(import({directory_ / "r.jsonl"}).counts.added, 3U);
  ASSERT_TRUE(ledger()->database().run("UPDATE bops_ledger SET version = 99"));
  const auto newer = Ledger::open(where_, false);
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().message.find("newer"), std::string::npos);
}

TEST_P(LedgerOf, receives_what_another_pushes_once) {
  write_lines(directory_ / "r.jsonl", chained_lines(2500, "/bops/a/b/c"));
  const auto outbox = Ledger::open(directory_ / "outbox.db", true);
  ASSERT_TRUE(import_records(**outbox, {directory_ / "r.jsonl"}, kNow - 5, {}));
  const auto sink = open_record_sink(where_);
  ASSERT_TRUE(sink) << sink.error().message;
  EXPECT_EQ(push_records(**outbox, **sink, "s").value_or(0), 2500U);
  EXPECT_EQ(push_records(**outbox, **sink, "s").value_or(9), 0U) << "nothing new";
  // As if a kill had come before the last cursor was kept.
  ASSERT_TRUE((*outbox)->set_cursor("s", 1000));
  EXPECT_EQ(push_records(**outbox, **sink, "s").value_or(0), 1500U);
  const auto stored = all();
  EXPECT_EQ(stored.size(), 2500U);
  EXPECT_EQ(stored.front().received, kNow - 5) << "when the first ledger received it";
}

INSTANTIATE_TEST_SUITE_P(Databases, LedgerOf, ::testing::Values("sqlite", "postgresql"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Summary, does_not_overflow_where_a_day_of_gpus_is_summed) {
  const TemporaryDirectory directory;
  std::vector<std::string> lines;
  for (UsageRecord& record : samples::usage_chain(16, "/bops/a/b/c")) {
    record.quantity = kMaxQuantity;
    record.meter = "gpu_operations";
    lines.push_back(usage_line(record));
  }
  write_lines(directory / "r.jsonl", lines);
  const auto ledger = open_records(directory / "r.jsonl", {});
  ASSERT_TRUE(ledger) << ledger.error().message;
  const auto summary = summarise_records(**ledger, {});
  ASSERT_EQ(summary->sums.size(), 1U);
  EXPECT_EQ(to_decimal(summary->sums.begin()->second), "73786976294838206464") << "2^66";
}

TEST(Summary, leaves_out_what_was_reversed_whichever_came_first) {
  const TemporaryDirectory directory;
  auto lines = chained_lines(2, "/bops/a/b/c");
  auto reversal = nlohmann::ordered_json::parse(lines[1]);
  reversal["type"] = "bops.usage.reversal.v1";
  reversal["id"] = "2";
  reversal["data"] = {{"reverses", {{"source", "/bops/a/b/c"}, {"id", "1"}}}};
  lines.insert(lines.begin(), reversal.dump());
  write_lines(directory / "r.jsonl", lines);
  const auto ledger = open_records(directory / "r.jsonl", {});
  const auto summary = summarise_records(**ledger, {});
  EXPECT_EQ(summary->reversed, 1U);
  EXPECT_EQ(summary->sums.begin()->second, WideSum{1000});
}

TEST(WithoutSecrets, a_url_has_no_password) {
  EXPECT_EQ(without_secrets("postgresql://u:p@h:5/d?password=x"), "postgresql://h:5/d");
  EXPECT_EQ(without_secrets("kafka://h:9092/t"), "kafka://h:9092/t");
  EXPECT_EQ(without_secrets("ledger.db"), "ledger.db");
}

}  // namespace
}  // namespace bops

// bops usage rate as a user meets it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/harness/subprocess.hpp"
#include "tests/rating/csv_reader.hpp"
#include "tests/usage/sample_usage.hpp"

namespace bops {
namespace {

using harness::bops_program;
using harness::Ended;

constexpr const char* kPrices = R"([{"unit": "0.5", "per": 1000, "currency": "CNY",
  "tenant": "acme", "meter": "bops_formula"}])";

/// A directory with files of one rating.
class RateCommand : public testing::Test {
 protected:
  RateCommand() {
    write("prices.json", kPrices);
    std::string lines;
    for (const UsageRecord& record : samples::usage_chain(20, "/bops/h/b/r"))
      lines += usage_line(record) + "\n";
    write("records.jsonl", lines);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    return harness::read_file(directory_ / name);
  }
  [[nodiscard]] Ended rate(const std::vector<std::string>& more = {},
                           const std::string& records = "records.jsonl") const {
    std::vector<std::string> command{bops_program(), "usage",    "rate",       "--records",
                                     records,        "--prices", "prices.json"};
    command.insert(command.end(), more.begin(), more.end());
    return harness::run(command, {}, directory_.path());
  }
  harness::TemporaryDirectory directory_;
};

TEST_F(RateCommand, rates_events_and_says_whose_line_it_is) {
  const Ended ended = rate();
  EXPECT_EQ(ended.code, 0) << ended.errors;
  // 1000 + 1001 + ... + 1019 at 0.5 for a thousand.
  EXPECT_EQ(ended.output,
            R"({"hour":"2026-11-22T19:00:00Z","tenant":"acme","meter":"bops_formula",)"
            R"("kind":"payg","package":null,"qty":"20190","amount":"10.095","currency":"CNY"})"
            "\n");
  EXPECT_EQ(ended.errors, "");
}

TEST_F(RateCommand, deducts_from_dated_packages) {
  write("packages.json", R"([{"id": "p", "qty": 20000, "from": "2026-11-01T00:00:00Z",
    "to": "2026-12-01T00:00:00Z", "created": "2026-10-30T10:00:00Z", "tenant": "acme",
    "meter": "bops_formula"}])");
  const Ended ended = rate({"--packages", "packages.json", "--cutoff", "2026-12-01T00:00:00Z"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_NE(ended.output.find(R"("package":"p","qty":"20000","amount":"0")"), std::string::npos);
  EXPECT_NE(ended.output.find(R"("kind":"payg","package":null,"qty":"190","amount":"0.095")"),
            std::string::npos)
      << ended.output;
}

TEST_F(RateCommand, gives_the_same_bytes_in_any_order_of_the_lines_and_if_some_come_twice) {
  const std::string expected = rate().output;
  std::istringstream stream(read("records.jsonl"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::mt19937_64 random(5);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = lines.size(); i > 1; --i) std::swap(lines[i - 1], lines[random() % i]);
    lines.push_back(lines[random() % lines.size()]);
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    write("shuffled.jsonl", text);
    EXPECT_EQ(rate({}, "shuffled.jsonl").output, expected);
  }
}

TEST_F(RateCommand, names_what_it_leaves_out_and_rates_the_rest) {
  UsageRecord other = samples::usage_chain(20, "/bops/h/b/r").at(7);
  other.quantity += 1;
  std::string text = read("records.jsonl") + "{\"broken\n" + usage_line(other) + "\n";
  write("records.jsonl", text);
  const Ended ended = rate();
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.output.find("\"qty\":\"19183\""), std::string::npos) << ended.output;
  EXPECT_NE(ended.errors.find("quarantined: records.jsonl line 21: "), std::string::npos)
      << ended.errors;
  EXPECT_NE(ended.errors.find("quarantined: conflict [\"/bops/h/b/r\",\"7\"]"), std::string::npos)
      << ended.errors;
  EXPECT_EQ(rate({"--strict"}).code, 1);
  EXPECT_EQ(rate({"--strict"}).output, ended.output);
}

TEST_F(RateCommand, leaves_out_what_has_no_error_bound_and_says_how_much_that_is) {
  UsageRecord record = samples::usage_record();
  record.rel_err_ppm.reset();
  write("records.jsonl", usage_line(record) + "\n");
  const Ended ended = rate();
  EXPECT_EQ(ended.output, "");
  EXPECT_NE(ended.errors.find("not rated: 1000 units of bops_formula of tenant acme in 1 records"),
            std::string::npos)
      << ended.errors;
  EXPECT_NE(rate({"--charge-unknown-error"}).output.find("\"qty\":\"1000\""), std::string::npos);
}

TEST_F(RateCommand, posts_differences_that_sum_to_the_new_lines) {
  const std::string all = read("records.jsonl");
  write("records.jsonl", all.substr(0, all.find('\n', all.size() / 2) + 1));
  const std::string before = rate().output;
  write("posted.jsonl", before);
  write("records.jsonl", all);
  const Ended changes = rate({"--previous", "posted.jsonl"});
  EXPECT_EQ(changes.code, 0) << changes.errors;
  EXPECT_NE(changes.output.find("\"dqty\":"), std::string::npos) << changes.output;
  write("posted.jsonl", before + changes.output);
  EXPECT_EQ(rate({"--previous", "posted.jsonl"}).output, "") << "all is posted";
}

TEST_F(RateCommand, refuses_bad_terms_with_their_place_and_a_remedy) {
  write("prices.json", "[{\"unit\": \"1\", \"currency\": \"CNY\"},\n {\"unit\": 0.5}]");
  Ended ended = rate();
  EXPECT_EQ(ended.code, 125);
  EXPECT_EQ(ended.output, "");
  EXPECT_NE(ended.errors.find("prices.json: line 2: "), std::string::npos) << ended.errors;
  write("prices.json",
        "[{\"unit\": \"1\", \"currency\": \"CNY\", \"meter\": \"tokens\"},\n"
        " {\"unit\": \"1\", \"currency\": \"USD\", \"meter\": \"requests\"}]");
  ended = rate();
  EXPECT_EQ(ended.code, 125);
  EXPECT_NE(ended.errors.find("USD"), std::string::npos) << ended.errors;
  write("prices.json", kPrices);
  write("packages.json", R"([{"id": "p", "qty": 1, "from": "2026-12-01T00:00:00Z",
    "to": "2026-11-01T00:00:00Z"}])");
  ended = rate({"--packages", "packages.json"});
  EXPECT_EQ(ended.code, 0) << "the rest is rated";
  EXPECT_NE(ended.errors.find("packages.json line 1: it expires before"), std::string::npos)
      << ended.errors;
  EXPECT_EQ(rate({"--packages", "packages.json", "--strict"}).code, 1);
}

TEST_F(RateCommand, refuses_files_and_options_that_make_no_sense) {
  EXPECT_EQ(rate({}, "missing.jsonl").code, 125);
  EXPECT_EQ(rate({"--packages", "."}).code, 125);
  EXPECT_EQ(rate({"--boundary", "day"}).code, 125);
  EXPECT_EQ(rate({"--format", "xml"}).code, 125);
  EXPECT_EQ(rate({"--cutoff", "yesterday"}).code, 125);
  EXPECT_EQ(rate({"--previous", "missing"}).code, 125);
  write("garbage", "\xff\xfe\x01");
  EXPECT_EQ(rate({"--previous", "garbage"}).code, 125);
  const Ended mixed = rate({"--cutoff", "3600"});
  EXPECT_EQ(mixed.output, "") << "seconds with dated records";
  EXPECT_NE(mixed.errors.find("dates"), std::string::npos) << mixed.errors;
}

TEST_F(RateCommand, fails_if_its_output_cannot_be_written) {
  EXPECT_EQ(rate({"-o", "/dev/full"}).code, 125);
}

TEST_F(RateCommand, writes_text_for_people_and_rows_for_billing_systems) {
  const Ended text = rate({"--format", "text"});
  EXPECT_NE(text.output.find("10.095"), std::string::npos) << text.output;
  EXPECT_NE(text.output.find("acme"), std::string::npos);
  const Ended focus = rate({"--format", "focus", "--provider", "Example, Inc."});
  const auto rows = rating_cases::read_csv(focus.output);
  ASSERT_EQ(rows.size(), 1U) << focus.output;
  EXPECT_EQ(rows[0].at("BilledCost"), "10.095");
  EXPECT_EQ(rows[0].at("BillingPeriodStart"), "2026-11-01T00:00:00Z");
  EXPECT_EQ(rows[0].at("ProviderName"), "Example, Inc.");
}

TEST_F(RateCommand, rates_a_ledger_by_when_it_received_the_records) {
  const std::string expected = rate().output, all = read("records.jsonl");
  const auto import = [&](const std::string& file, const std::string& received) {
    const auto ended = harness::run(
        {bops_program(), "usage", "import", "--ledger", "ledger.db", "--received", received, file},
        {}, directory_.path());
    EXPECT_EQ(ended.code, 0) << ended.errors;
  };
  import("records.jsonl", "2026-11-22T20:00:00Z");
  EXPECT_EQ(rate({}, "ledger.db").output, expected);
  EXPECT_EQ(rate({"--cutoff", "2026-11-22T19:59:59Z"}, "ledger.db").output, "");
  EXPECT_EQ(rate({"--cutoff", "2026-11-22T20:00:00Z"}, "ledger.db").output, expected);
  std::string other = all.substr(0, all.find('\n') + 1);
  other.replace(other.find("\"1000\""), 6, "\"1001\"");
  write("other.jsonl", other);
  import("other.jsonl", "2026-11-23T00:00:00Z");
  EXPECT_EQ(rate({"--cutoff", "2026-11-22T20:00:00Z"}, "ledger.db").output, expected);
  const Ended disputed = rate({}, "ledger.db");
  EXPECT_EQ(disputed.code, 0);
  EXPECT_NE(disputed.errors.find("conflict [\"/bops/h/b/r\",\"0\"]"), std::string::npos)
      << disputed.errors;
  EXPECT_NE(disputed.output.find("\"qty\":\"19190\""), std::string::npos) << disputed.output;
  const auto resolve = [&](std::vector<std::string> words) {
    words.insert(words.begin(),
                 {bops_program(), "usage", "resolve", "ledger.db", "/bops/h/b/r", "0"});
    return harness::run(words, {}, directory_.path());
  };
  const std::string copies = resolve({}).output;  // in the order of arrival
  EXPECT_EQ(resolve({"--keep", copies.substr(0, 64)}).code, 125) << "without a reason";
  EXPECT_EQ(resolve({"--keep", "xyz", "--reason", "ticket"}).code, 125);
  EXPECT_EQ(resolve({"--keep", "", "--reason", "ticket"}).output, copies) << "nothing was named";
  EXPECT_EQ(resolve({"--keep", copies.substr(0, 64), "--reason", "ticket"}).code, 0);
  EXPECT_NE(resolve({}).output.find("\trejected\n"), std::string::npos) << resolve({}).output;
  const Ended resolved = rate({}, "ledger.db");
  EXPECT_EQ(resolved.output, expected);
  EXPECT_EQ(resolved.errors, "");
  EXPECT_EQ(resolve({"--none", "--reason", "ticket"}).code, 0);
  EXPECT_NE(rate({}, "ledger.db").output.find("\"qty\":\"19190\""), std::string::npos);
  EXPECT_EQ(rate({"--cutoff", "3600"}, "ledger.db").code, 125) << "it has dates";
}

TEST_F(RateCommand, rates_the_files_of_a_directory_as_one) {
  const std::string expected = rate().output, all = read("records.jsonl");
  const std::size_t middle = all.find('\n', all.size() / 2) + 1;
  std::filesystem::create_directory(directory_ / "ranks");
  write("ranks/1.jsonl", all.substr(middle));
  write("ranks/0.jsonl", all.substr(0, middle));
  EXPECT_EQ(rate({}, "ranks").output, expected);
}

TEST_F(RateCommand, is_what_export_to_focus_writes) {
  const auto exported = harness::run({bops_program(), "usage", "export", "records.jsonl",
                                      "--format", "focus", "--prices", "prices.json"},
                                     {}, directory_.path());
  EXPECT_EQ(exported.code, 0) << exported.errors;
  EXPECT_EQ(exported.output, rate({"--format", "focus"}).output);
  EXPECT_EQ(harness::run({bops_program(), "usage", "export", "records.jsonl", "--format", "focus"},
                         {}, directory_.path())
                .code,
            125)
      << "without prices";
}

}  // namespace
}  // namespace bops

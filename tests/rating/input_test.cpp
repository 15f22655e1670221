// What rating reads: records in both forms, packages, prices, lines.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/rating/cases.hpp"
#include "tests/usage/sample_usage.hpp"
#include "usage/rating/fields.hpp"
#include "usage/rating/read_records.hpp"
#include "usage/rating/read_terms.hpp"

namespace bops::rating_cases {
namespace {

struct Read {
  std::vector<RatingRecord> records;
  std::string problems;  ///< "3: what; "
  std::string failure;
  std::optional<TimeForm> form;
};

Read read(const std::string& text) {
  Read result;
  std::istringstream stream(text);
  const auto done = read_rating_records(
      stream, result.form,
      {[&](RatingRecord record) { result.records.push_back(std::move(record)); },
       [&](std::uint64_t line, const Error& error) {
         result.problems += std::to_string(line) + ": " + error.message + "; ";
       }});
  if (!done) result.failure = done.error().message;
  return result;
}

const std::string kGood = R"({"source":"h1","id":"a","start":0,"end":60,"qty":10})";

std::string with(const std::string& more) {
  return kGood.substr(0, kGood.size() - 1) + "," + more + "}";
}

TEST(RecordInput, is_an_array_or_lines_of_simple_records) {
  const std::string other = R"({"source":"h1","id":"b","start":-7200,"end":3600,"qty":"7"})";
  for (const std::string& text :
       {"[" + kGood + "," + other + "]", "\n [\n" + kGood + ",\n" + other + "\n]\n",
        kGood + "\n\n" + other + "\r\n", kGood + "\n" + other}) {
    const Read result = read(text);
    EXPECT_EQ(result.problems + result.failure, "") << text;
    ASSERT_EQ(result.records.size(), 2U) << text;
    EXPECT_EQ(result.records[0].key, (UsageKey{"h1", "a"}));
    EXPECT_EQ(result.records[0].end, 60 * kNsPerSecond);
    EXPECT_EQ(result.records[1].start, -7200 * kNsPerSecond);
    EXPECT_EQ(big_integer(result.records[1].quantity), 7);
    EXPECT_EQ(result.form, TimeForm::kSeconds);
  }
  EXPECT_TRUE(read("").records.empty());
  EXPECT_TRUE(read(" \n").records.empty());
  EXPECT_TRUE(read("[]").records.empty());
}

TEST(RecordInput, takes_integers_beyond_64_bits_to_the_digit) {
  const Read result =
      read(R"([{"source":"h1","id":"a","start":0,"end":60,"qty":252979200000000000000001}])");
  ASSERT_EQ(result.records.size(), 1U) << result.problems;
  EXPECT_EQ(big_integer(result.records[0].quantity).str(), "252979200000000000000001");
}

TEST(RecordInput, reads_everything_that_a_simple_record_may_say) {
  const Read result = read(with(R"("tenant":"t","meter":"tokens","model":"m","received":4000,)"
                                R"("reverses":["h2","z"])"));
  ASSERT_EQ(result.records.size(), 1U) << result.problems;
  const RatingRecord& record = result.records[0];
  EXPECT_EQ(record.account.tenant, "t");
  EXPECT_EQ(record.account.meter, "tokens");
  EXPECT_EQ(record.account.model, "m");
  EXPECT_EQ(record.received, 4000 * kNsPerSecond);
  EXPECT_EQ(record.reverses, (UsageKey{"h2", "z"}));
}

TEST(RecordInput, leaves_out_what_is_wrong_says_the_line_and_goes_on) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {R"({"source":"h1","id":"a","start":0,"end":60,"qty":-1})", "negative"},
      {R"({"source":"h1","id":"a","start":0,"end":60,"qty":1.5})", "not an integer"},
      {R"({"source":"h1","id":"a","start":0,"end":60,"qty":"1e3"})", "not an integer"},
      {R"({"source":"h1","id":"a","start":0,"end":60})", "qty is missing"},
      {R"({"id":"a","start":0,"end":60,"qty":1})", "source is missing"},
      {R"({"source":"h1","id":"","start":0,"end":60,"qty":1})", "id is missing"},
      {R"({"source":"h1","id":"a","start":60,"end":0,"qty":1})", "end is before start"},
      {R"({"source":"h1","id":"a","start":0,"end":99999999999,"qty":1})", "not a time"},
      {R"({"source":"h1","id":"a","start":0,"end":40000000,"qty":1})", "366 days"},
      {R"({"source":"h1","id":"a","start":0,"end":"2026-11-22T19:00:00Z","qty":1})", "dates"},
      {R"({"source":"h1","id":"a","start":0,"end":60,"qty":1,"qty":2})", "twice"},
      {R"({"source":"h1","id":"a","start":0,"end":60,"qty":1,"reverses":"a"})", "reverses"},
      {R"([1])", "not a JSON object"},
      {R"(7)", "not a JSON object"}};
  for (const auto& [line, what] : wrong) {
    const Read in_lines = read(kGood + "\n" + line + "\n" + kGood + "\n");
    EXPECT_EQ(in_lines.records.size(), 2U) << line;
    EXPECT_TRUE(in_lines.problems.starts_with("2: ")) << in_lines.problems;
    EXPECT_NE(in_lines.problems.find(what), std::string::npos) << line << in_lines.problems;
    const Read in_array = read("[" + kGood + ",\n" + line + ",\n" + kGood + "]");
    EXPECT_EQ(in_array.records.size(), 2U) << line;
    EXPECT_TRUE(in_array.problems.starts_with("2: ")) << in_array.problems;
    EXPECT_NE(in_array.problems.find(what), std::string::npos) << line << in_array.problems;
  }
}

TEST(RecordInput, goes_on_behind_lines_that_are_not_json) {
  for (const std::string& line :
       {std::string("{"), std::string("nonsense"), kGood.substr(0, 20), std::string("\xff\xfe{}"),
        std::string("{\"source\":\"\xc3\x28\"}"), std::string(1, '\0'),
        std::string(100'000, '[')}) {
    const Read result = read(kGood + "\n" + line + "\n" + kGood + "\n");
    EXPECT_EQ(result.records.size(), 2U) << line.substr(0, 30);
    EXPECT_TRUE(result.problems.starts_with("2: ")) << result.problems;
  }
  const Read result = read(kGood + "\n" + std::string(5'000'000, 'x') + "\n" + kGood);
  EXPECT_EQ(result.records.size(), 2U);
  EXPECT_NE(result.problems.find("longer"), std::string::npos) << result.problems;
}

TEST(RecordInput, refuses_an_array_whose_rest_cannot_be_read) {
  EXPECT_EQ(read("[" + kGood + ",\n" + kGood + ",\n{").failure, "line 3: not valid JSON in UTF-8");
  EXPECT_NE(read("[" + kGood + "\n" + kGood + "]").failure, "");
  EXPECT_NE(read("[{\"source\":\"" + std::string(3'000'000, 'x') + "\"}]").failure, "");
  EXPECT_NE(read("[" + kGood).failure, "") << "cut off";
}

TEST(RecordInput, reads_events_as_their_contract_writes_them) {
  UsageRecord record = samples::usage_record();
  record.attrs["model"] = "resnet50";
  const Read result = read(usage_line(record) + "\n");
  ASSERT_EQ(result.records.size(), 1U) << result.problems;
  EXPECT_EQ(result.form, TimeForm::kDated);
  EXPECT_EQ(result.records[0].key, record.key);
  EXPECT_EQ(result.records[0].account.tenant, record.subject);
  EXPECT_EQ(result.records[0].account.meter, "bops_formula");
  EXPECT_EQ(result.records[0].account.model, "resnet50");
  EXPECT_EQ(result.records[0].start, record.start);
  EXPECT_EQ(result.records[0].end, record.end);
  EXPECT_EQ(big_integer(result.records[0].quantity), record.quantity);
  record.rel_err_ppm.reset();
  record.integrity = UsageIntegrity::kInTarget;
  const Read unknown = read(usage_line(record) + "\n");
  EXPECT_FALSE(unknown.records.at(0).account.error_known);
  EXPECT_EQ(unknown.records.at(0).account.integrity, UsageIntegrity::kInTarget);
}

TEST(RecordInput, tells_contents_apart_by_all_they_say_but_when_they_were_received) {
  EXPECT_EQ(read(kGood).records.at(0).content,
            read(with(R"("received":99)")).records.at(0).content);
  EXPECT_NE(read(kGood).records.at(0).content, read(with(R"("note":"x")")).records.at(0).content);
  UsageRecord record = samples::usage_record();
  const auto content = [&] { return read(usage_line(record)).records.at(0).content; };
  const auto before = content();
  record.received = record.end + 5;
  EXPECT_EQ(content(), before);
  record.resource["host.id"] = "another";
  EXPECT_NE(content(), before);
}

std::string package_problems(const std::string& text, std::size_t good) {
  std::istringstream stream(text);
  std::optional<TimeForm> form;
  std::string problems;
  const auto packages = read_packages(stream, form, [&](std::uint64_t line, const Error& error) {
    problems += std::to_string(line) + ": " + error.message + "; ";
  });
  if (!packages) return "failed: " + packages.error().message;
  EXPECT_EQ(packages->size(), good) << problems;
  return problems;
}

TEST(PackageInput, reads_everything_that_a_package_may_say) {
  std::istringstream stream(
      R"([{"id":"p","qty":"1000000000000000000000","effective":"2026-11-01T00:00:00Z",)"
      R"("expires":"2026-12-01T00:00:00Z","created":"2026-10-31T08:00:00Z","tenant":"t",)"
      R"("meter":"tokens","models":["a","b"],"ratio":"0.5","ratios":{"b":2},)"
      R"("cost":"19.99","currency":"CNY"}])");
  std::optional<TimeForm> form;
  const auto packages = read_packages(
      stream, form, [](std::uint64_t, const Error& error) { ADD_FAILURE() << error.message; });
  ASSERT_TRUE(packages && packages->size() == 1);
  const Package& package = packages->front();
  EXPECT_EQ(package.quantity.str(), "1000000000000000000000");
  EXPECT_EQ(package.expires - package.effective, 30 * 24 * kNsPerHour);
  EXPECT_EQ(package.effective - package.created, 16 * kNsPerHour);
  EXPECT_EQ(package.models, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(package.ratio("a").text(), "0.5");
  EXPECT_EQ(package.ratio("b").text(), "2");
  EXPECT_EQ(package.cost, BigRational(1999, 100));
}

TEST(PackageInput, leaves_out_what_is_wrong_and_says_the_line) {
  const std::string good = R"({"id":"p","qty":1,"from":0,"to":9,"created":0})";
  const std::string other = R"({"id":"q","qty":1,"from":0,"to":9,"created":0})";
  EXPECT_EQ(package_problems("[" + good + ",\n" + other + "]", 2), "");
  EXPECT_EQ(package_problems(good + "\n" + other, 2), "");
  for (const auto& [wrong, what] : std::vector<std::pair<std::string, std::string>>{
           {R"({"id":"x","qty":1,"from":9,"to":9})", "expires before"},
           {R"({"id":"x","qty":1,"from":9,"to":8})", "expires before"},
           {R"({"id":"x","qty":-1,"from":0,"to":9})", "negative"},
           {R"({"qty":1,"from":0,"to":9})", "id is missing"},
           {R"({"id":"x","qty":1,"to":9})", "from is missing"},
           {R"({"id":"x","qty":1,"from":0,"to":9,"ratio":"0"})", "ratio"},
           {R"({"id":"x","qty":1,"from":0,"to":9,"ratios":{"m":"-1"}})", "model m"},
           {R"({"id":"x","qty":1,"from":0,"to":9,"ratio":0.5})", "ratio"},
           {R"({"id":"x","qty":1,"from":0,"to":9,"models":[]})", "models"},
           {R"({"id":"x","qty":1,"from":0,"to":9,"cost":"5"})", "currency"},
           {R"({"id":"x","qty":1,"from":0,"to":"2026-11-22T19:00:00Z"})", "dates"}}) {
    const std::string problems = package_problems("[" + good + ",\n" + wrong + "]", 1);
    EXPECT_TRUE(problems.starts_with("2: ")) << wrong << problems;
    EXPECT_NE(problems.find(what), std::string::npos) << wrong << problems;
  }
  EXPECT_TRUE(package_problems("[" + good, 0).starts_with("failed: line 1"));
}

TEST(PriceInput, refuses_what_is_wrong_and_says_the_line) {
  const auto read = [](const std::string& text) {
    std::istringstream stream(text);
    std::optional<TimeForm> form;
    const auto prices = read_prices(stream, form);
    return prices ? std::to_string(prices->size()) : prices.error().message;
  };
  const std::string good = R"({"unit":"0.002","per":1000,"currency":"CNY"})";
  EXPECT_EQ(read(good), "1");
  EXPECT_EQ(read("[" + good + "]"), "1");
  EXPECT_EQ(read(good + good), "2");
  for (const auto& [wrong, what] : std::vector<std::pair<std::string, std::string>>{
           {R"({"unit":0.002,"per":1000,"currency":"CNY"})", "not exact"},
           {R"({"unit":"2e-3","per":1000,"currency":"CNY"})", "decimal"},
           {R"({"unit":"-1","per":1000,"currency":"CNY"})", "negative"},
           {R"({"unit":"1","per":0,"currency":"CNY"})", "per is 0"},
           {R"({"unit":"1","per":1000})", "currency is missing"},
           {R"({"per":1000,"currency":"CNY"})", "unit is missing"},
           {R"({"unit":"1","currency":"CNY","from":9,"to":3})", "ends before"},
           {R"({"unit":"1","currency":"CNY","integrity":"external"})", "integrity"}}) {
    const std::string problem = read("[" + good + ",\n\n" + wrong + "]");
    EXPECT_TRUE(problem.starts_with("line 3: ")) << wrong << problem;
    EXPECT_NE(problem.find(what), std::string::npos) << wrong << problem;
  }
}

TEST(LineInput, reads_back_what_was_written_and_sums_differences) {
  RandomCases random(7001);
  std::size_t read_back = 0;
  for (int round = 0; round < 50; ++round) {
    const Lines before = rated(random.make()).lines, after = rated(random.make()).lines;
    const std::string text =
        json_lines(before, TimeForm::kSeconds, false) +
        json_lines(difference(before, after).value(), TimeForm::kSeconds, true);
    std::istringstream stream(text);
    std::optional<TimeForm> form;
    const auto read = read_lines(stream, form);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(difference(*read, after).value().empty()) << text;
    read_back += read->size();
  }
  EXPECT_GT(read_back, 100U);
}

TEST(LineInput, refuses_what_is_wrong_and_says_the_line) {
  const auto read = [](const std::string& line) {
    std::istringstream stream(R"({"hour":0,"kind":"payg","package":null,"qty":"4","amount":"0.1"})"
                              "\n" +
                              line);
    std::optional<TimeForm> form;
    const auto lines = read_lines(stream, form);
    return lines ? "" : lines.error().message;
  };
  EXPECT_EQ(read(""), "");
  for (const std::string wrong :
       {R"({"hour":1,"kind":"payg","package":null,"qty":"4","amount":"0.1"})",
        R"({"hour":0,"kind":"free","package":null,"qty":"4","amount":"0.1"})",
        R"({"hour":0,"kind":"payg","package":null,"qty":4,"amount":"0.1"})",
        R"({"hour":0,"kind":"payg","package":null,"qty":"4"})", "x"})
    EXPECT_TRUE(read(wrong).starts_with("line 2: ")) << wrong << read(wrong);
}

TEST(TimeInput, is_seconds_or_a_date_as_all_others) {
  std::optional<TimeForm> form;
  EXPECT_EQ(parse_rating_time("-3600", form).value(), -3600 * kNsPerSecond);
  EXPECT_FALSE(parse_rating_time("2026-11-22T19:00:00Z", form)) << "after seconds";
  form.reset();
  EXPECT_EQ(parse_rating_time("1970-01-01T01:00:00Z", form).value(), kNsPerHour);
  EXPECT_FALSE(parse_rating_time("0", form)) << "after dates";
  for (const std::string text : {"", "x", "1.5", "99999999999", "2026-11-22"}) {
    form.reset();
    EXPECT_FALSE(parse_rating_time(text, form)) << text;
  }
}

}  // namespace
}  // namespace bops::rating_cases

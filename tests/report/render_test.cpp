// The formats for people and spreadsheets: expected outputs stand in golden/, relations here.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "report/csv.hpp"
#include "report/doctor.hpp"
#include "report/format.hpp"
#include "report/html.hpp"
#include "report/lists.hpp"
#include "report/markdown.hpp"
#include "report/text.hpp"
#include "sample_doctor.hpp"
#include "sample_records.hpp"

namespace bops {
namespace {

constexpr RenderOptions kPerThread{.per_thread = true, .colour = false};

std::string golden(const std::string& name) {
  std::ifstream file(std::string(BOPS_GOLDEN_DIR) + '/' + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file.good()) << name;
  return text.str();
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

/// The rows of RFC 4180 text, parsed as its grammar says.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows{{""}};
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool doubled = quoted && text.substr(at, 2) == "\"\"";
    if (doubled) {
      rows.back().back() += '"';
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[at] == ',') {
      rows.back().emplace_back();
    } else if (!quoted && text.substr(at, 2) == "\r\n") {
      rows.push_back({""});
      ++at;
    } else {
      rows.back().back() += text[at];
    }
  }
  rows.pop_back();
  return rows;
}

TEST(Csv, samples_are_rows_of_their_own_with_their_error) {
  const std::string csv = render_csv(samples::hardware_run(), {});
  // Samples times the period of 10 007, and one standard error.
  EXPECT_NE(
      csv.find("sampled,,,\"sort<int>(int*, int*)\",,,,9006300,2001400,800560,1000700,5203640,"
               ",,,,approximate,/home/user/sort,,,41090"),
      std::string::npos)
      << csv;
}

TEST(Text, shows_a_decoded_run_as_expected) {
  EXPECT_EQ(render_text(samples::decoded_run(), kPerThread), golden("decoded.txt"));
}

TEST(Text, shows_a_hardware_run_as_expected) {
  EXPECT_EQ(render_text(samples::hardware_run(), {}), golden("hardware.txt"));
}

TEST(Text, shows_a_run_without_counts_as_expected) {
  EXPECT_EQ(render_text(samples::missing_run(), kPerThread), golden("missing.txt"));
}

TEST(Text, lists_threads_only_when_asked) {
  EXPECT_EQ(render_text(samples::decoded_run(), {}).find("worker 2"), std::string::npos);
  EXPECT_NE(render_text(samples::decoded_run(), kPerThread).find("worker 2"), std::string::npos);
}

TEST(Text, names_from_outside_never_reach_the_terminal_raw) {
  RunRecord record = samples::hostile_run();
  for (const Format& format : formats()) {
    const std::string text = format.render(record, kPerThread);
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << format.name;
    EXPECT_EQ(text.find('\x07'), std::string::npos) << format.name;
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << format.name;
    EXPECT_EQ(text.find('\xff'), std::string::npos) << format.name;
  }
  EXPECT_NE(render_text(record, kPerThread).find("\\x1b[31m"), std::string::npos);
}

TEST(Text, has_escapes_only_when_colour_is_asked_for) {
  const RunRecord record = samples::decoded_run();
  const std::string plain = render_text(record, {.per_thread = true, .colour = false});
  std::string coloured = render_text(record, {.per_thread = true, .colour = true});
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  EXPECT_NE(coloured, plain);
  for (const std::string style : {"\x1b[1m", "\x1b[33m", "\x1b[0m"})
    for (std::size_t at = coloured.find(style); at != std::string::npos; at = coloured.find(style))
      coloured.erase(at, style.size());
  EXPECT_EQ(coloured, plain);
}

TEST(Text, has_no_spaces_at_line_ends_and_every_warning_code_once) {
  RunRecord record = samples::decoded_run();
  record.warnings.push_back({"extra", "one more"});
  const std::string text = render_text(record, kPerThread);
  EXPECT_EQ(text.find(" \n"), std::string::npos);
  for (const Warning& warning : record.warnings)
    EXPECT_EQ(occurrences(text, "[" + warning.code + "]"), 1U) << warning.code;
}

TEST(Text, gives_the_collectors_own_reason_for_a_missing_number) {
  RunRecord record = samples::hardware_run();
  record.cycles.reset();
  record.warnings.push_back({"cycles_not_measured", "the counter is taken by the watchdog"});
  const std::string text = render_text(record, {});
  EXPECT_EQ(occurrences(text, "the counter is taken by the watchdog [cycles_not_measured]"), 1U);
}

TEST(Text, long_commands_are_cut_and_say_so) {
  RunRecord record = samples::decoded_run();
  record.command = std::vector<std::string>(100, "argument");
  const std::string title = render_text(record, {}).substr(0, 400);
  EXPECT_NE(title.find("more arguments)"), std::string::npos);
  record.command = {"sh", "-c", std::string(5000, 'x')};
  EXPECT_LT(render_text(record, {}).find('\n'), 300U);
}

TEST(Text, a_long_list_ends_with_a_row_that_makes_the_sum_complete) {
  RunCounts counts;
  counts.quality = Quality::kExact;
  for (pid_t pid = 1; pid <= 50; ++pid)
    counts.processes.push_back({pid, 0, "/bin/x", true, "", 0, {}, {{100, 0, 0, 0}, {}, {}}});
  counts.processes.push_back({51, 0, "/bin/su", false, "it is set-user-ID", 0, {}, {}});
  const Table table = process_table(counts);
  ASSERT_EQ(table.rows.size(), kLongestList + 1);
  EXPECT_EQ(table.rows.back()[2], "3,100") << "19 of the 50 are listed";
  EXPECT_EQ(table.rows.back()[4], "(31 others)");
  EXPECT_NE(table.rows[kLongestList - 1][4].find("set-user-ID"), std::string::npos)
      << "the uncounted one is listed before any counted one is left out";
}

RunCounts many_functions() {
  RunCounts counts;
  counts.quality = Quality::kExact;
  for (std::uint64_t i = 1; i <= 30; ++i)
    counts.functions.push_back({"/usr/bin/x",
                                "f" + std::to_string(i),
                                {{100 * i, 0, 0, 0}, Operations{100 * (31 - i), 0, 0}, {}}});
  counts.threads.push_back({1, 1, "x", 0, {}, "qemu", Counts::exact_zero()});
  for (const FunctionCounts& function : counts.functions)
    counts.threads[0].counts += function.counts;
  return counts;
}

TEST(Text, lists_the_ten_largest_functions_of_each_order_with_their_shares) {
  const std::vector<Table> tables = function_tables(many_functions());
  ASSERT_EQ(tables.size(), 2U);
  for (const Table& table : tables) ASSERT_EQ(table.rows.size(), kListedFunctions + 1);
  using Row = std::vector<std::string>;
  EXPECT_EQ(tables[0].rows[0], (Row{"3,000", "6.5 %", "100", "0.2 %", "f30", "x"}));
  EXPECT_EQ(tables[1].rows[0], (Row{"100", "0.2 %", "3,000", "6.5 %", "f1", "x"}));
  EXPECT_EQ(tables[0].rows.back(),
            (Row{"21,000", "45.2 %", "41,000", "88.2 %", "(20 others)", ""}));
}

TEST(Text, shows_no_share_of_a_run_whose_formula_is_not_positive) {
  RunCounts counts = many_functions();
  counts.functions.resize(1);
  counts.threads[0].counts = counts.functions[0].counts;
  for (Counts* each : {&counts.functions[0].counts, &counts.threads[0].counts})
    each->instructions = {10, 5, 5, 5};
  EXPECT_EQ(function_tables(counts)[0].rows[0][0], "-5");
  EXPECT_EQ(function_tables(counts)[0].rows[0][1], "-");
}

TEST(Text, sums_regions_over_threads_and_says_what_a_unit_of_work_took) {
  RunCounts counts;
  counts.quality = Quality::kExact;
  const auto counts_of = [](std::uint64_t total) {
    return Counts{{total, total / 2, 0, 0}, Operations{total, 0, 0}, {}};
  };
  counts.threads = {{1, 1, "a", 0, {}, "native", counts_of(6000), {{"tokens", 8}}},
                    {1, 2, "b", 0, {}, "native", counts_of(2000), {{"images", 0}, {"tokens", 2}}}};
  counts.regions = {{"load", 1, 1, 0, 1, {}, counts_of(1000)},
                    {"decode", 1, 1, 0, 3, {{"tokens", 8}}, counts_of(1000)},
                    {"decode", 1, 2, 0, 4, {{"images", 0}, {"tokens", 2}}, counts_of(1001)}};
  using Rows = std::vector<std::vector<std::string>>;
  EXPECT_EQ(region_table(counts).rows, (Rows{{"7", "1,001", "25.0 %", "2,001", "25.0 %", "decode"},
                                             {"1", "500", "12.5 %", "1,000", "12.5 %", "load"}}));
  EXPECT_EQ(work_table(counts).rows, (Rows{{"0", "images", "-", "-", "(whole run)"},
                                           {"10", "tokens", "400.0", "800.0", "(whole run)"},
                                           {"0", "images", "-", "-", "decode"},
                                           {"10", "tokens", "100.1", "200.1", "decode"}}));
  EXPECT_EQ(thread_region_table(counts).rows.size(), 3U);
}

TEST(Text, lists_the_largest_regions_and_says_how_many_more_there_are) {
  RunCounts counts;
  counts.quality = Quality::kExact;
  counts.threads = {{1, 1, "a", 0, {}, "native", {{1000, 0, 0, 0}, {}, {}}}};
  for (std::uint64_t i = 1; i <= kLongestList + 5; ++i)
    counts.regions.push_back({"r" + std::to_string(i), 1, 1, 0, 1, {}, {{i, 0, 0, 0}, {}, {}}});
  const Table table = region_table(counts);
  ASSERT_EQ(table.rows.size(), kLongestList + 1);
  EXPECT_EQ(table.rows.front(),
            (std::vector<std::string>{"1", "25", "2.5 %", "not measured", "", "r25"}));
  EXPECT_EQ(table.rows.back().back(), "(5 others)");
}

TEST(Text, cuts_long_names_of_functions) {
  RunCounts counts = many_functions();
  counts.functions[29].name = std::string(5000, 'f');
  const std::string name = function_tables(counts)[0].rows[0][4];
  EXPECT_LT(name.size(), 150U);
  EXPECT_TRUE(name.ends_with("..."));
}

TEST(Csv, functions_and_images_sum_to_the_run_in_every_column_of_counts) {
  const auto rows = parse_csv(render_csv(samples::decoded_run(), {}));
  for (std::size_t column = 7; column < 16; ++column)
    for (const char* scope : {"image", "function"}) {
      std::int64_t sum = 0;
      for (const auto& row : rows)
        if (row[0] == scope) sum += std::stoll(row[column]);
      EXPECT_EQ(sum, std::stoll(rows[1][column])) << scope << ' ' << rows.front()[column];
    }
}

TEST(Csv, shows_a_decoded_run_as_expected) {
  EXPECT_EQ(render_csv(samples::decoded_run(), {}), golden("decoded.csv"));
}

TEST(Csv, tells_the_work_of_the_run_and_of_each_thread_and_region) {
  const auto rows = parse_csv(render_csv(samples::decoded_run(), {}));
  ASSERT_EQ(rows.front()[19], "work");
  EXPECT_EQ(rows[1][19], "requests=4;tokens=192");
  EXPECT_EQ(rows.back()[0], "region");
  EXPECT_EQ(rows[rows.size() - 2][19], "tokens=64");
  EXPECT_EQ(rows[rows.size() - 2][18], "64");
}

TEST(Csv, every_row_has_as_many_cells_as_the_header_whatever_the_names) {
  const auto rows = parse_csv(render_csv(samples::hostile_run(), {}));
  ASSERT_EQ(rows.size(), 1U + 1 + 2 + 2 + 1 + 1 + 2);
  for (const auto& row : rows) EXPECT_EQ(row.size(), rows.front().size());
  EXPECT_EQ(rows[4][3],
            "\\x1b[31m\\x07\\xff\xc3\xa9\\xc2\\x9b\\xe2\\x80\\xae\\x0d\\x0a,\"'`|<b>&"
            "*_\\x5cx41$");
}

TEST(Csv, threads_sum_to_the_run_in_every_column_of_counts) {
  const auto rows = parse_csv(render_csv(samples::decoded_run(), {}));
  for (std::size_t column = 7; column < 16; ++column) {
    std::int64_t run = 0;
    std::int64_t threads = 0;
    for (const auto& row : rows) {
      if (row[0] == "run") run = std::stoll(row[column]);
      if (row[0] == "thread") threads += std::stoll(row[column]);
    }
    EXPECT_EQ(run, threads) << rows.front()[column];
  }
}

TEST(Csv, cells_of_what_was_not_measured_are_empty) {
  const auto rows = parse_csv(render_csv(samples::missing_run(), {}));
  for (std::size_t column = 7; column < 16; ++column) EXPECT_EQ(rows[1][column], "");
  EXPECT_EQ(rows[1][16], "missing");
}

TEST(Markdown, shows_a_decoded_run_as_expected) {
  EXPECT_EQ(render_markdown(samples::decoded_run(), kPerThread), golden("decoded.md"));
}

TEST(Markdown, names_cannot_add_cells_or_tags) {
  const std::string text = render_markdown(samples::hostile_run(), kPerThread);
  EXPECT_EQ(text.find("<b>"), std::string::npos);
  std::istringstream lines(text);
  std::size_t expected = 0;
  for (std::string line; std::getline(lines, line);) {
    std::size_t cells = 0;
    for (std::size_t at = 0; at < line.size(); ++at) {
      if (line[at] == '\\')
        ++at;
      else if (line[at] == '|')
        ++cells;
    }
    const bool in_table = line.starts_with('|');
    if (in_table && expected != 0) {
      EXPECT_EQ(cells, expected) << line;
    }
    expected = in_table ? cells : 0;
  }
}

TEST(Html, is_self_contained_and_escapes_names) {
  const std::string page = render_html(samples::hostile_run(), kPerThread);
  for (const char* forbidden : {"<b>", "<script", "src=", "href=", "url(", "@import"})
    EXPECT_EQ(page.find(forbidden), std::string::npos) << forbidden;
  EXPECT_NE(page.find("&lt;b&gt;&amp;"), std::string::npos);
  for (const char* tag : {"table", "tr", "td", "th", "h1", "h2", "body", "html", "title"})
    EXPECT_EQ(occurrences(page, std::string("<") + tag + ">") +
                  occurrences(page, std::string("<") + tag + " "),
              occurrences(page, std::string("</") + tag + ">"))
        << tag;
}

TEST(Reports, all_formats_show_the_same_formula_bops) {
  RunRecord record = samples::decoded_run();
  record.counts.threads[0].counts.instructions.total += 1'234'567;
  for (const Format& format : formats()) {
    const std::string text = format.render(record, {});
    EXPECT_TRUE(text.find("8434567") != std::string::npos ||
                text.find("8,434,567") != std::string::npos)
        << format.name;
  }
}

TEST(Doctor, shows_a_machine_as_expected) {
  EXPECT_EQ(render_doctor_text(samples::doctor_report(), false), golden("doctor.txt"));
}

TEST(Doctor, says_when_nothing_can_count) {
  DoctorReport report = samples::doctor_report();
  for (DoctorEntry& entry : report.collectors) {
    entry.chosen_by_auto = false;
    entry.probe = {false, "no \x1b[31m", ""};
  }
  const std::string text = render_doctor_text(report, false);
  EXPECT_NE(text.find("None of them can count here."), std::string::npos);
  EXPECT_EQ(text.find("yes"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace bops

// Which records count.
#include "usage/rating/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/rating/cases.hpp"

namespace bops::rating_cases {
namespace {

constexpr std::int64_t kDay = 24 * 3600;

RatingRecord received(RatingRecord record, std::int64_t seconds) {
  record.received = seconds * kNsPerSecond;
  return record;
}

/// The quantities that count, sorted, and what is quarantined: "5 10 | a: 0", in every order of
/// arrival the same.
std::string selected_in_any_order(std::vector<RatingRecord> records,
                                  std::optional<std::int64_t> cutoff = {}) {
  std::string result;
  std::vector<std::size_t> order(records.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  do {
    Case made;
    if (cutoff) made.policy.cutoff = *cutoff * kNsPerSecond;
    for (const std::size_t i : order) made.records.push_back(records[i]);
    const SelectedUse use = selected(made);
    std::vector<std::string> counted;
    for (const CountedUse& each : use.records) counted.push_back(big_integer(each.quantity).str());
    std::ranges::sort(counted);
    std::string text;
    for (const std::string& each : counted) text += each + ' ';
    text += '|';
    for (const Quarantined& each : use.quarantined)
      text += ' ' + each.key.id + ':' + std::to_string(static_cast<int>(each.reason));
    if (!result.empty()) {
      EXPECT_EQ(text, result);
    }
    result = text;
  } while (std::ranges::next_permutation(order).found);
  return result;
}

const std::string kDisputed = std::to_string(static_cast<int>(QuarantineReason::kDisputed));
const std::string kSecond = std::to_string(static_cast<int>(QuarantineReason::kSecondReversal));
const std::string kOfReversal =
    std::to_string(static_cast<int>(QuarantineReason::kReversalOfReversal));
const std::string kTooLate = std::to_string(static_cast<int>(QuarantineReason::kTooLate));

TEST(Selection, takes_a_record_once_however_often_it_comes) {
  EXPECT_EQ(selected_in_any_order({record("a", 0, 60, 10), record("a", 0, 60, 10),
                                   received(record("a", 0, 60, 10), 100)}),
            "10 |");
}

TEST(Selection, takes_none_of_two_contents_of_one_key) {
  const RatingRecord a = record("a", 0, 60, 10), b = record("b", 0, 60, 5);
  EXPECT_EQ(selected_in_any_order({a, b, record("a", 0, 60, 11)}), "5 | a:" + kDisputed);
  EXPECT_EQ(selected_in_any_order({a, b, record("a", 0, 61, 10)}), "5 | a:" + kDisputed);
  EXPECT_EQ(selected_in_any_order({a, b, record("a", 1, 60, 10), record("a", 0, 60, 12)}),
            "5 | a:" + kDisputed);
  RatingRecord other = a;
  other.account.tenant = "t";
  EXPECT_EQ(selected_in_any_order({a, b, other}), "5 | a:" + kDisputed);
  other = a;
  other.content[3] = 1;  // something that rating does not look at
  EXPECT_EQ(selected_in_any_order({a, b, other}), "5 | a:" + kDisputed);
  other = a;
  other.reverses = b.key;
  EXPECT_EQ(selected_in_any_order({a, b, other}), "5 | a:" + kDisputed);
  other = a;
  other.key.source = "h2";
  EXPECT_EQ(selected_in_any_order({a, b, other}), "10 10 5 |") << "another source, another record";
}

TEST(Selection, lets_a_reversal_void_one_record) {
  const RatingRecord a = record("a", 0, 60, 10), b = record("b", 0, 60, 5);
  EXPECT_EQ(selected_in_any_order({a, b, reversal("x", "a")}), "5 |");
  EXPECT_EQ(selected_in_any_order({a, b, reversal("x", "a"), reversal("x", "a")}), "5 |");
  EXPECT_EQ(selected_in_any_order({b, reversal("x", "a")}), "5 |");
}

TEST(Selection, quarantines_a_second_reversal) {
  const RatingRecord a = record("a", 0, 60, 10), b = record("b", 0, 60, 5);
  EXPECT_EQ(selected_in_any_order({a, b, reversal("x", "a"), reversal("y", "a")}),
            "5 | y:" + kSecond);
  EXPECT_EQ(selected_in_any_order({a, b, received(reversal("x", "a"), 200), reversal("y", "a")}),
            "5 | x:" + kSecond)
      << "the second is the one that was received later";
}

TEST(Selection, quarantines_the_reversal_of_a_reversal_which_stays_in_force) {
  const RatingRecord a = record("a", 0, 60, 10);
  EXPECT_EQ(selected_in_any_order({a, reversal("x", "a"), reversal("y", "x")}),
            "| y:" + kOfReversal);
  EXPECT_EQ(selected_in_any_order({a, reversal("x", "a"), reversal("y", "x"), reversal("z", "y")}),
            "| y:" + kOfReversal + " z:" + kOfReversal);
  EXPECT_EQ(selected_in_any_order({a, reversal("x", "x")}), "10 | x:" + kOfReversal);
}

TEST(Selection, lets_no_disputed_reversal_void_anything) {
  EXPECT_EQ(selected_in_any_order({record("a", 0, 60, 10), record("b", 0, 60, 5),
                                   reversal("x", "a"), reversal("x", "b")}),
            "10 5 | x:" + kDisputed);
}

TEST(Selection, looks_at_what_was_received_up_to_the_cutoff) {
  const std::vector<RatingRecord> records{record("a", 0, 60, 10),
                                          received(record("b", 0, 60, 5), 1000),
                                          received(reversal("x", "a"), 1001)};
  EXPECT_EQ(selected_in_any_order(records, 59), "|") << "without `received` it came at its end";
  EXPECT_EQ(selected_in_any_order(records, 60), "10 |");
  EXPECT_EQ(selected_in_any_order(records, 999), "10 |");
  EXPECT_EQ(selected_in_any_order(records, 1000), "10 5 |");
  EXPECT_EQ(selected_in_any_order(records, 1001), "5 |");
  EXPECT_EQ(selected_in_any_order(records), "5 |");
}

TEST(Selection, quarantines_what_was_received_more_than_35_days_after_its_end) {
  EXPECT_EQ(selected_in_any_order({received(record("a", 0, 60, 10), 60 + 35 * kDay),
                                   received(record("b", 0, 60, 5), 61 + 35 * kDay)}),
            "10 | b:" + kTooLate);
  EXPECT_EQ(selected_in_any_order(
                {record("a", 0, 60, 10), received(record("a", 0, 60, 10), 61 + 35 * kDay)}),
            "10 |")
      << "a copy of what came in time";
  EXPECT_EQ(selected_in_any_order(
                {record("a", 0, 60, 10), received(record("a", 0, 60, 11), 61 + 35 * kDay)}),
            "10 | a:" + kTooLate)
      << "what is not taken in cannot dispute";
  EXPECT_EQ(
      selected_in_any_order({record("a", 0, 60, 10), received(reversal("x", "a"), 61 + 35 * kDay)}),
      "10 | x:" + kTooLate);
}

TEST(Selection, counts_as_late_what_came_after_its_hour_was_closed) {
  Case made;
  made.records = {received(record("a", 0, 60, 1), 3600 + 900),
                  received(record("b", 0, 60, 1), 3600 + 901),
                  received(record("c", 3600, 3660, 1), 3600 + 901)};
  EXPECT_EQ(selected(made).received_late, 1U);
}

}  // namespace
}  // namespace bops::rating_cases

// What holds of every rating, over cases made from seeds.
#include <gtest/gtest.h>

#include <set>

#include "tests/rating/reference_rater.hpp"
#include "usage/rating/hourly_use.hpp"

namespace bops::rating_cases {
namespace {

constexpr std::uint64_t kCases = 400;

template <class Check>
void for_each_case(std::uint64_t first_seed, const Check& check) {
  for (std::uint64_t seed = first_seed; seed < first_seed + kCases; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomCases random(seed);
    check(random.make(), random);
    if (testing::Test::HasFailure()) return;
  }
}

std::string quarantine(const Case& made) {
  std::set<std::string> lines;
  for (const Quarantined& each : selected(made).quarantined)
    lines.insert(std::string(kind_of(each.reason)) + ' ' + each.key.source + ' ' + each.key.id);
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

TEST(Rating, is_what_walking_through_every_second_gives) {
  std::uint64_t with_packages = 0, with_lapses = 0, with_quarantine = 0;
  for_each_case(1, [&](const Case& made, RandomCases&) {
    const std::string expected = reference_lines(made);
    EXPECT_EQ(lines_as_reference(rated(made).lines), expected);
    EXPECT_EQ(quarantine(made), reference_quarantine(made));
    with_packages += expected.find(" package ") != std::string::npos;
    with_lapses += expected.find(" lapse ") != std::string::npos;
    with_quarantine += !reference_quarantine(made).empty();
  });
  // Cases without them would show nothing.
  EXPECT_GT(with_packages, kCases / 4);
  EXPECT_GT(with_lapses, kCases / 10);
  EXPECT_GT(with_quarantine, kCases / 4);
}

TEST(Rating, bought_is_used_and_lapsed_and_balance) {
  for_each_case(1001, [](const Case& made, RandomCases&) {
    const Rating rating = rated(made);
    ASSERT_EQ(rating.balances.size(), made.terms.packages.size());
    for (const PackageBalance& each : rating.balances) {
      EXPECT_EQ(each.bought.text(), (each.used + each.lapsed + each.balance).text());
      EXPECT_FALSE(each.used.is_negative() || each.lapsed.is_negative() ||
                   each.balance.is_negative());
      Decimal used, lapsed;
      for (const auto& [key, amounts] : rating.lines) {
        if (key.package != each.package) continue;
        (key.kind == LineKind::kLapse ? lapsed : used) += amounts.deducted;
      }
      EXPECT_EQ(used.text(), each.used.text());
      EXPECT_EQ(lapsed.text(), each.lapsed.text());
    }
  });
}

TEST(Rating, has_every_unit_of_use_in_one_line) {
  for_each_case(2001, [](const Case& made, RandomCases&) {
    BigInteger used;
    for (const CountedUse& use : selected(made).records) used += big_integer(use.quantity);
    Decimal in_lines;
    for (const auto& [key, amounts] : rated(made).lines)
      if (key.kind != LineKind::kLapse) in_lines += amounts.quantity;
    EXPECT_EQ(in_lines.text(), used.str());
  });
}

TEST(Rating, is_the_same_in_every_order_of_arrival) {
  for_each_case(3001, [](Case made, RandomCases& random) {
    const std::string before = lines(made), quarantined = quarantine(made);
    for (int round = 0; round < 4; ++round) {
      random.shuffle(made.records);
      random.shuffle(made.terms.packages);
      random.shuffle(made.terms.prices);
      EXPECT_EQ(lines(made), before);
      EXPECT_EQ(quarantine(made), quarantined);
    }
  });
}

TEST(Rating, is_the_same_if_records_are_delivered_again) {
  for_each_case(4001, [](Case made, RandomCases& random) {
    const std::string before = lines(made), quarantined = quarantine(made);
    const std::vector<RatingRecord> once = made.records;
    for (const RatingRecord& record : once) {
      if (random.below(2) == 0) continue;
      made.records.push_back(record);
      // A later copy of what came in time changes nothing.
      RatingTime& received =
          made.records.back().received.emplace(record.received.value_or(record.end));
      received += random.below(50) * 24 * kNsPerHour;
    }
    EXPECT_EQ(lines(made), before);
    EXPECT_EQ(quarantine(made), quarantined);
  });
}

TEST(Rating, differences_sum_to_the_lines_of_the_last_rating) {
  for_each_case(5001, [](Case made, RandomCases& random) {
    // Month by month, with what has been received since.
    Lines posted;
    made.policy.cutoff = 0;
    for (int round = 0; round < 4; ++round) {
      *made.policy.cutoff += random.below(15 * 24) * kNsPerHour / 2;
      const Lines now = rated(made).lines;
      const Lines changes = difference(posted, now).value();
      for (const auto& [key, amounts] : changes) {
        EXPECT_FALSE(amounts.quantity.is_zero() && amounts.amount.is_zero());
        LineAmounts& sum = posted[key];
        sum.quantity += amounts.quantity;
        sum.amount += amounts.amount;
        sum.deducted += amounts.deducted;
        sum.currency = amounts.currency;
      }
      std::erase_if(posted, [](const auto& line) {
        return line.second.quantity.is_zero() && line.second.amount.is_zero();
      });
      EXPECT_EQ(json_lines(posted, TimeForm::kSeconds, false),
                json_lines(now, TimeForm::kSeconds, false));
    }
  });
}

TEST(Rating, divides_a_record_into_pieces_that_sum_to_it) {
  RandomCases random(6001);
  for (int round = 0; round < 2000; ++round) {
    const RatingTime start = random.below(1'000'000'000'000);
    const RatingTime end = start + 1 + random.below(random.below(2) == 0 ? 10 : 4'000'000'000'000);
    Quantity quantity = random.below(std::int64_t{1} << 62U);
    if (random.below(2) == 0) quantity = random.below(20);
    if (random.below(4) == 0) quantity *= 200'000'000'000;
    Quantity sum = 0, before = 0;
    for (RatingTime time = start; time < end;) {
      time += 1 + random.below(end - start);
      const Quantity until = used_before(time, start, end, quantity);
      EXPECT_GE(until, before);
      // No piece is a unit away from its share, however many there are.
      const BigRational share =
          BigRational(big_integer(quantity)) * std::min(time - start, end - start) / (end - start);
      EXPECT_LE(BigRational(big_integer(until)), share);
      EXPECT_LT(share - BigRational(big_integer(until)), BigRational(1));
      sum += until - before;
      before = until;
    }
    EXPECT_EQ(big_integer(sum), big_integer(quantity));
  }
}

TEST(Rating, does_not_overflow_at_eight_accelerators_for_a_year) {
  Case made;
  made.terms.form = TimeForm::kSeconds;
  made.terms.prices.push_back(price("0.002"));
  constexpr std::int64_t kPerSecond = 1'000'000'000'000'000, kHours = 366 * 24;
  // One hour of one accelerator, 3.6e18, is within 2^62: eight of them each hour.
  for (std::int64_t hour = 0; hour < kHours; ++hour)
    for (int device = 0; device < 8; ++device) {
      made.records.push_back(record(std::to_string(hour), hour * 3600, hour * 3600 + 3600,
                                    Quantity{kPerSecond} * 3600));
      made.records.back().key.source = "gpu" + std::to_string(device);
    }
  Package package = rating_cases::package("p", 1, 0, kHours * 3600);
  package.quantity = BigInteger(kPerSecond) * 3600 * 8 * 100 + 1;  // and a hundred hours in advance
  made.terms.packages.push_back(package);
  const Rating rating = rated(made);
  Decimal quantity, amount;
  for (const auto& [key, amounts] : rating.lines) {
    quantity += amounts.quantity;
    amount += amounts.amount;
  }
  EXPECT_EQ(quantity.text(), "252979200000000000000000");
  // (366 * 24 - 100) * 3600 * 8e15 - 1, at 0.002 for 1000
  EXPECT_EQ(amount.text(), "500198399999999999.999998");
  ASSERT_EQ(rating.lines.size(), 100U + kHours - 100 + 1);
  EXPECT_EQ(rating.lines.rbegin()->second.quantity.text(), "28800000000000000000")
      << "an hour of eight is over 2^63";
}

}  // namespace
}  // namespace bops::rating_cases

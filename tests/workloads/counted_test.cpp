#include "workloads/counted.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace bops::workloads {
namespace {

Tallies tallies_of(const std::function<void()>& work) {
  thread_tallies = Tallies{};
  work();
  return thread_tallies;
}

Tallies only(Category category, std::uint64_t count) {
  Tallies tallies;
  tallies[category] = count;
  return tallies;
}

TEST(Counted, constants_moves_and_conversions_count_nothing) {
  EXPECT_EQ(tallies_of([] {
              Counted<int> a = 3;
              const Counted<int> b = a;
              a = b;
              a = uncounted(b);
            }),
            Tallies{});
}

TEST(Counted, computes_what_plain_numbers_compute) {
  const Counted<int> a = 13;
  const Counted<int> b = 5;
  EXPECT_EQ(uncounted(a + b), 18);
  EXPECT_EQ(uncounted(a - b), 8);
  EXPECT_EQ(uncounted(a * b), 65);
  EXPECT_EQ(uncounted(a / b), 2);
  EXPECT_EQ(uncounted(a & b), 5);
  EXPECT_EQ(uncounted(a | b), 13);
  EXPECT_EQ(uncounted(a ^ b), 8);
  EXPECT_EQ(uncounted(a << 2), 52);
  EXPECT_EQ(uncounted(a >> 2), 3);
  EXPECT_TRUE(b < a && b <= a && a > b && a >= b && a != b && !(a == b));
}

TEST(Counted, each_integer_operation_counts_once_in_its_category) {
  Counted<int> a = 7;
  EXPECT_EQ(tallies_of([&] { a = (a + 1) * 2 - a / 3; }), only(Category::kIntegerArithmetic, 4));
  EXPECT_EQ(tallies_of([&] { a += 1, a -= 1, a *= 1, ++a, --a; }),
            only(Category::kIntegerArithmetic, 5));
  EXPECT_EQ(tallies_of([&] { a = ((a & 12) | 1) ^ (a << 1) ^ (a >> 1); }),
            only(Category::kLogic, 6));
  EXPECT_EQ(tallies_of([&] { static_cast<void>(a < 3); }), only(Category::kCompare, 1));
}

TEST(Counted, floating_point_work_is_kept_apart_comparisons_included) {
  Counted<double> a = 7.0;
  EXPECT_EQ(tallies_of([&] { a = a * 2.0 + 1.0; }), only(Category::kFloatingPoint, 2));
  EXPECT_EQ(tallies_of([&] { static_cast<void>(a < 3.0); }), only(Category::kFloatingPoint, 1));
}

TEST(Counted, a_loop_over_an_index_counts_its_steps_and_tests) {
  const Counted<std::int64_t> size = 10;
  Tallies expected;
  expected[Category::kLoopStep] = 10;
  expected[Category::kLoopCompare] = 11;
  EXPECT_EQ(tallies_of([&] {
              for (CountedLoopIndex i = 0; i < size; ++i) {
              }
            }),
            expected);
}

TEST(Counted, the_index_of_a_loop_is_otherwise_a_number) {
  const CountedLoopIndex i = 4;
  EXPECT_EQ(tallies_of([&] { static_cast<void>(i + 1); }), only(Category::kIntegerArithmetic, 1));
}

TEST(Counted, pointers_count_steps_and_not_dereferences) {
  std::array<Counted<int>, 8> data{};
  CountedPointer<int> p(data.data());
  EXPECT_EQ(tallies_of([&] { *p = *(p + 1); }), only(Category::kPointerStep, 1));
  EXPECT_EQ(tallies_of([&] { ++p, --p, p += 2, p -= 2, static_cast<void>(p - p); }),
            only(Category::kPointerStep, 5));
  const CountedPointer<int> end = p + 8;
  Tallies expected;
  expected[Category::kPointerStep] = 8;
  expected[Category::kLoopCompare] = 9;
  EXPECT_EQ(tallies_of([&] {
              for (CountedLoopPointer<int> q = p; q < end; ++q) *q = 1;
            }),
            expected);
}

TEST(Counted, subscripts_count_by_dimension_and_compound_assignment_addresses_once) {
  std::array<Counted<int>, 4> data{};
  const std::array<Counted<int>*, 2> row_pointers = {data.data(), data.data() + 2};
  const Counting::Array<int> array(data.data());
  const Counting::Rows<int> rows(row_pointers.data());
  Tallies expected = only(Category::kIntegerArithmetic, 1);
  expected[Category::kSubscript1d] = 1;
  EXPECT_EQ(tallies_of([&] { array[3] += 5; }), expected);
  EXPECT_EQ(tallies_of([&] { EXPECT_EQ(uncounted(rows[1][1]), 5); }),
            only(Category::kSubscript2d, 1));
  EXPECT_EQ(source_operations(only(Category::kSubscript2d, 1)).address, 2U);
}

TEST(Counted, a_short_circuit_is_tallied_without_weight_and_stops_as_it_must) {
  const Counted<int> a = 1;
  Tallies expected = only(Category::kShortCircuit, 1);
  expected[Category::kCompare] = 1;
  EXPECT_EQ(tallies_of([&] { EXPECT_FALSE(Counting::kShortCircuit && a > 1 && a < 5); }), expected);
  EXPECT_EQ(source_operations(expected).total(), 1U);
}

}  // namespace
}  // namespace bops::workloads

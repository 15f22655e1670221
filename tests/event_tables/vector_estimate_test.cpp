#include "collectors/pmu/vector_estimate.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/event_tables/machines.hpp"

namespace bops::pmu {
namespace {

EventSet set_of(const char* vendor, std::uint32_t family, std::uint32_t model,
                const std::string& pmu = "cpu") {
  const FakeSysfs sysfs({pmu});
  const KnownMachine known{"a machine", {vendor, family, model, 1, ""}, {pmu}, true, {}};
  return event_sets_for(machine_of(known, sysfs)).value().front();
}

using Counts = std::vector<std::optional<std::uint64_t>>;

// One instruction of each width: scalar, 128-bit double, 256-bit double, 256-bit single.
TEST(VectorEstimate, weighs_each_count_with_its_lanes) {
  const auto estimate = vector_estimate(set_of("GenuineIntel", 6, 0x5e), Counts{1, 1, 1, 1});
  ASSERT_TRUE(estimate) << estimate.error().message;
  EXPECT_EQ(estimate->operations_estimate, 1U + 2U + 4U + 8U);
  ASSERT_EQ(estimate->events.size(), 4U);
  EXPECT_EQ(estimate->events[3].event, "FP_ARITH_INST_RETIRED:256B_PACKED_SINGLE");
  EXPECT_NE(estimate->events[3].meaning.find("256-bit packed single"), std::string::npos);
}

TEST(VectorEstimate, of_amd_takes_operations_as_they_are_counted) {
  const auto estimate = vector_estimate(set_of("AuthenticAMD", 0x19, 0x01), Counts{123456789});
  ASSERT_TRUE(estimate);
  EXPECT_EQ(estimate->operations_estimate, 123456789U);
}

TEST(VectorEstimate, is_the_sum_of_its_events_and_grows_with_the_work) {
  for (const KnownMachine& known : known_machines()) {
    if (known.tables.empty()) continue;
    const FakeSysfs sysfs(known.pmus);
    const std::vector<EventSet> sets = event_sets_for(machine_of(known, sysfs)).value();
    for (const EventSet& set : sets) {
      if (set.vector_events.empty()) continue;
      Counts once, twice;
      for (std::size_t index = 0; index < set.vector_events.size(); ++index) {
        once.emplace_back(1000 + 7 * index);
        twice.emplace_back(2 * *once.back());
      }
      const auto estimate = vector_estimate(set, once), doubled = vector_estimate(set, twice);
      ASSERT_TRUE(estimate && doubled) << known.name;
      std::uint64_t sum = 0, counts = 0;
      for (const VectorShare& share : estimate->events) {
        sum += share.operations;
        counts += share.count;
        EXPECT_FALSE(share.event.empty());
      }
      EXPECT_EQ(estimate->operations_estimate, sum) << known.name;
      EXPECT_GE(sum, counts) << known.name;
      EXPECT_EQ(doubled->operations_estimate, 2 * sum) << known.name;
    }
  }
}

TEST(VectorEstimate, is_exact_beyond_what_a_double_holds) {
  constexpr std::uint64_t kMany = (std::uint64_t{1} << 58U) + 1;
  const auto estimate = vector_estimate(set_of("GenuineIntel", 6, 0x5e), Counts{0, 0, 0, kMany});
  EXPECT_EQ(estimate->operations_estimate, 8 * kMany);
}

TEST(VectorEstimate, is_refused_if_an_event_was_not_counted) {
  const EventSet set = set_of("GenuineIntel", 6, 0x5e);
  for (const Counts& counts : {Counts{1, 1, std::nullopt, 1}, Counts{1, 1}}) {
    const auto estimate = vector_estimate(set, counts);
    ASSERT_FALSE(estimate);
    EXPECT_NE(estimate.error().message.find("128B_PACKED_SINGLE:256B_PACKED_DOUBLE"),
              std::string::npos)
        << estimate.error().message;
  }
}

TEST(VectorEstimate, is_refused_where_the_cpu_has_no_such_events) {
  const EventSet haswell = set_of("GenuineIntel", 6, 0x3c);
  const auto estimate = vector_estimate(haswell, {});
  ASSERT_FALSE(estimate);
  EXPECT_NE(estimate.error().message.find(haswell.vector_note), std::string::npos);
}

TEST(VectorEstimate, of_two_kinds_of_core_is_summed) {
  const EventSet core = set_of("GenuineIntel", 6, 0xaa, "cpu_core");
  const EventSet atom = set_of("GenuineIntel", 6, 0xaa, "cpu_atom");
  const VectorEstimate of_core =
      vector_estimate(core, Counts(core.vector_events.size(), 3)).value();
  const VectorEstimate of_atom =
      vector_estimate(atom, Counts(atom.vector_events.size(), 5)).value();
  VectorEstimate sum = of_core;
  sum += of_atom;
  sum += of_core;
  EXPECT_EQ(sum.operations_estimate, 2 * of_core.operations_estimate + of_atom.operations_estimate);
  EXPECT_EQ(sum.events.size(), of_core.events.size() + of_atom.events.size());
  EXPECT_EQ(sum.events.front().count, 6U);
}

}  // namespace
}  // namespace bops::pmu

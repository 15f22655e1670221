// The files' raw codes against the installed libpfm4's, which was written by other people from the
// same manuals.
#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <cstdlib>
#include <set>

#include "collectors/pmu/event_file.hpp"
#include "collectors/pmu/libpfm.hpp"
#include "tests/event_tables/machines.hpp"

namespace bops::pmu {
namespace {

/// Before libpfm4 is first asked for anything: it encodes for CPUs that this one is not.
class EveryCpuEncodes : public testing::Environment {
 public:
  void SetUp() override { ::setenv("LIBPFM_ENCODE_INACTIVE", "1", 1); }
};
[[maybe_unused]] const auto* const kEnvironment =
    testing::AddGlobalTestEnvironment(new EveryCpuEncodes);

std::vector<const Event*> events_of(const EventSet& set) {
  std::vector<const Event*> events{&set.instructions, &set.loads, &set.stores, &set.branches,
                                   &*set.cycles};
  for (const VectorEvent& vector : set.vector_events) events.push_back(&vector.event);
  return events;
}

TEST(Encodings, are_those_of_libpfm_wherever_it_knows_the_pmu) {
  int compared = 0;
  for (const EventFile& file : event_files())
    for (const MatchRule& rule : file.rules) {
      if (!libpfm_has_pmu(rule.libpfm)) continue;
      for (const Event* event : events_of(file.events)) {
        if (event->name.empty()) continue;
        const auto encoding = libpfm_encoding(rule.libpfm, event->name);
        ASSERT_TRUE(encoding) << "libpfm4 has no " << rule.libpfm << "::" << event->name;
        EXPECT_EQ(encoding->config, event->config) << rule.libpfm << "::" << event->name;
        EXPECT_EQ(encoding->type, std::uint32_t{PERF_TYPE_RAW});
        ++compared;
      }
    }
  // libpfm4 4.13 knows 25 of the PMUs, later ones more.
  EXPECT_GE(compared, 25 * 5);
}

TEST(Encodings, of_the_four_counts_are_four) {
  for (const EventFile& file : event_files()) {
    std::set<std::uint64_t> codes;
    for (const Event* event : {&file.events.instructions, &file.events.loads, &file.events.stores,
                               &file.events.branches})
      codes.insert(event->config);
    EXPECT_EQ(codes.size(), 4U) << file.name;
  }
}

EventSet skylake() {
  const FakeSysfs sysfs({"cpu"});
  Machine machine;
  machine.cpu = {"GenuineIntel", 6, 0x5e, 3, ""};
  machine.sysfs = sysfs.path();
  return event_sets_for(machine).value().front();
}

TEST(EncodingCheck, passes_what_the_files_say) {
  EXPECT_EQ(skylake().libpfm, "skl");
  EXPECT_TRUE(check_encoding(skylake()));
}

TEST(EncodingCheck, fails_where_libpfm_encodes_a_name_to_another_code) {
  const auto expect_found = [](EventSet set, const std::string& name) {
    const auto checked = check_encoding(set);
    ASSERT_FALSE(checked) << name;
    EXPECT_NE(checked.error().message.find(name), std::string::npos) << checked.error().message;
    EXPECT_FALSE(checked.error().remedy.empty());
  };
  EventSet loads = skylake();
  loads.loads.config = 0x82d0;
  expect_found(loads, "MEM_INST_RETIRED:ALL_LOADS");
  EventSet cycles = skylake();
  cycles.cycles->config = 0x13c;
  expect_found(cycles, "CPU_CLK_UNHALTED:THREAD_P");
  EventSet vector = skylake();
  vector.vector_events.back().event.config = 0x40c7;
  expect_found(vector, "FP_ARITH_INST_RETIRED:256B_PACKED_SINGLE");
}

TEST(EncodingCheck, passes_names_that_libpfm_does_not_know) {
  EventSet set = skylake();
  set.loads.name = "NO_SUCH_EVENT";
  set.loads.config = 0x1;
  EXPECT_TRUE(check_encoding(set));
  set = skylake();
  set.libpfm = "no_such_pmu";
  set.stores.config = 0x1;
  EXPECT_TRUE(check_encoding(set));
}

// Debian's libpfm4 4.13 takes Ryzen 7000 for a CPU that it does not know.
TEST(EncodingCheck, passes_cpus_that_libpfm_does_not_know) {
  int unknown = 0;
  for (const KnownMachine& known : known_machines()) {
    if (known.tables.empty()) continue;
    const FakeSysfs sysfs(known.pmus);
    const auto sets = event_sets_for(machine_of(known, sysfs));
    ASSERT_TRUE(sets) << known.name;
    for (const EventSet& set : *sets) {
      const auto checked = check_encoding(set);
      EXPECT_TRUE(checked) << known.name << ": " << checked.error().message;
      unknown += set.libpfm.empty() ? 1 : 0;
    }
  }
  EXPECT_GT(unknown, 0);
}

TEST(EventFile, that_is_damaged_is_refused_with_its_name) {
  const std::string good(embedded_event_files().front().json);
  ASSERT_TRUE(read_event_file("x", good));
  for (const auto& [from, to] : {std::pair{"\"0x", "\"0y"}, std::pair{"\"unit\"", "\"unite\""},
                                 std::pair{"retired_instructions", "retired"},
                                 std::pair{"\"loads\",", "\"load\","}, std::pair{"{", "["}}) {
    std::string damaged = good;
    const std::size_t place = damaged.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    damaged.replace(place, std::string(from).size(), to);
    const auto file = read_event_file("some_cpu", damaged);
    ASSERT_FALSE(file) << from;
    EXPECT_NE(file.error().message.find("some_cpu"), std::string::npos);
  }
}

}  // namespace
}  // namespace bops::pmu

// Which event file is chosen for which machine.
#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "collectors/pmu/event_file.hpp"
#include "tests/event_tables/machines.hpp"

namespace bops::pmu {
namespace {

std::vector<std::string> tables_of(const std::vector<EventSet>& sets) {
  std::vector<std::string> tables;
  for (const EventSet& set : sets) tables.push_back(set.table);
  return tables;
}

class KnownMachines : public testing::TestWithParam<KnownMachine> {};

TEST_P(KnownMachines, gets_its_files_or_a_refusal) {
  const KnownMachine& known = GetParam();
  const FakeSysfs sysfs(known.pmus);
  const auto sets = event_sets_for(machine_of(known, sysfs));
  if (known.tables.empty()) {
    ASSERT_FALSE(sets) << "chose " << sets->front().table;
    EXPECT_NE(sets.error().message.find(known.name), std::string::npos) << sets.error().message;
    EXPECT_FALSE(sets.error().remedy.empty());
    return;
  }
  ASSERT_TRUE(sets) << sets.error().message;
  EXPECT_EQ(tables_of(*sets), known.tables);
  for (std::size_t index = 0; index < sets->size(); ++index) {
    const EventSet& set = (*sets)[index];
    EXPECT_EQ(set.pmu, known.pmus[index]);
    const auto type = static_cast<std::uint32_t>(index == 0 ? std::size_t{PERF_TYPE_RAW}
                                                            : FakeSysfs::kSecondType + index - 1);
    for (const Event* event : {&set.instructions, &set.loads, &set.stores, &set.branches})
      EXPECT_EQ(event->type, type);
    for (const VectorEvent& vector : set.vector_events) EXPECT_EQ(vector.event.type, type);
  }
}

INSTANTIATE_TEST_SUITE_P(EventTables, KnownMachines, testing::ValuesIn(known_machines()),
                         [](const auto& machine) {
                           std::string name = machine.param.name;
                           std::erase_if(name, [](char letter) {
                             return std::isalnum(static_cast<unsigned char>(letter)) == 0;
                           });
                           return name + "_" + std::to_string(machine.index);
                         });

// Whether the firmware has hyper-threading on or off.
std::vector<EventSet> all_known_sets() {
  std::vector<EventSet> all;
  for (KnownMachine known : known_machines()) {
    if (known.tables.empty()) continue;
    const FakeSysfs sysfs(known.pmus);
    for (const bool hyperthreading : {false, true}) {
      known.hyperthreading = hyperthreading;
      const std::vector<EventSet> sets = event_sets_for(machine_of(known, sysfs)).value();
      all.insert(all.end(), sets.begin(), sets.end());
    }
  }
  return all;
}

TEST(Groups, fit_the_counters_and_hold_every_count_once) {
  for (const EventSet& set : all_known_sets()) {
    std::multiset<Role> roles;
    for (const auto& group : set.groups) {
      EXPECT_LE(counters_taken(set, group), set.general_counters) << set.table;
      EXPECT_EQ(group.front(), Role::kInstructions) << set.table;
      roles.insert(group.begin(), group.end());
    }
    EXPECT_EQ(roles.count(Role::kInstructions), set.groups.size());
    for (const Role role : {Role::kLoads, Role::kStores, Role::kBranches})
      EXPECT_EQ(roles.count(role), 1U) << set.table;
  }
}

TEST(Groups, of_vector_events_fit_the_counters_and_hold_every_event_once) {
  for (const EventSet& set : all_known_sets()) {
    std::multiset<std::size_t> indices;
    for (const auto& group : set.vector_groups) {
      std::uint32_t taken = 0;
      for (const std::size_t index : group) taken += set.vector_events.at(index).event.counters;
      EXPECT_LE(taken, set.general_counters) << set.table;
      indices.insert(group.begin(), group.end());
    }
    for (std::size_t index = 0; index < set.vector_events.size(); ++index)
      EXPECT_EQ(indices.count(index), 1U) << set.table;
    EXPECT_EQ(set.vector_events.empty(), !set.vector_note.empty()) << set.table;
  }
}

// With the workaround of erratum BJ122 and its kin, the kernel leaves a group that holds a memory
// event two counters (intel_get_excl_constraints).
TEST(Groups, with_memory_events_take_two_counters_where_threads_disturb_each_other) {
  int split = 0;
  for (KnownMachine known : known_machines()) {
    const std::set<std::string> disturbed{"sandy_bridge", "ivy_bridge", "haswell"};
    if (known.tables.size() != 1 || !disturbed.contains(known.tables[0])) continue;
    const FakeSysfs sysfs(known.pmus);
    known.hyperthreading = true;
    const EventSet set = event_sets_for(machine_of(known, sysfs)).value().front();
    for (const auto& group : set.groups) {
      const bool memory = std::find(group.begin(), group.end(), Role::kLoads) != group.end() ||
                          std::find(group.begin(), group.end(), Role::kStores) != group.end();
      if (!memory) continue;
      EXPECT_LE(counters_taken(set, group), 2U) << known.name;
      ++split;
    }
    known.hyperthreading = false;
    EXPECT_EQ(event_sets_for(machine_of(known, sysfs)).value().front().groups.size(), 1U);
  }
  EXPECT_GE(split, 8);
}

TEST(EventTables, are_right_for_some_known_machine_each) {
  std::set<std::string> chosen;
  for (const KnownMachine& machine : known_machines())
    chosen.insert(machine.tables.begin(), machine.tables.end());
  ASSERT_GE(event_files().size(), 30U);
  for (const EventFile& file : event_files()) EXPECT_TRUE(chosen.contains(file.name)) << file.name;
}

TEST(EventTables, do_not_claim_the_same_cpu) {
  const std::vector<std::string> pmus{"cpu", "cpu_core", "cpu_atom", "cpu_lowpower",
                                      "armv8_pmuv3_0"};
  const auto expect_one_claim = [&pmus](const CpuIdentity& cpu) {
    for (const std::string& pmu : pmus) {
      std::vector<std::string> claims;
      for (const EventFile& file : event_files())
        for (const MatchRule& rule : file.rules)
          if (rule.is_for(cpu) && rule.has_pmu(pmu)) claims.push_back(file.name);
      EXPECT_LE(claims.size(), 1U)
          << cpu.vendor << " " << cpu.family << " " << cpu.model << " " << cpu.stepping << ", "
          << pmu << ": " << claims[0] << " and " << (claims.size() > 1 ? claims[1] : "");
    }
  };
  std::set<std::tuple<std::string, std::uint32_t>> families;
  for (const EventFile& file : event_files())
    for (const MatchRule& rule : file.rules)
      if (rule.implementer == 0) families.emplace(rule.vendor, rule.family);
  for (const auto& [vendor, family] : families)
    for (std::uint32_t model = 0; model < 256; ++model)
      for (std::uint32_t stepping = 0; stepping < 16; ++stepping)
        expect_one_claim({vendor, family, model, stepping, ""});
  for (std::uint32_t part = 0; part < 0x1000; ++part)
    expect_one_claim({"", 0, 0, 0, "", 0x41, part});
}

KnownMachine alder_lake() {
  return {"Core i9-12900K", {"GenuineIntel", 6, 0x97, 2, ""}, {"cpu_core", "cpu_atom"}, true, {}};
}

TEST(EventTables, leave_out_a_kind_of_core_that_is_switched_off) {
  const FakeSysfs sysfs({"cpu_core", "cpu_atom"});
  sysfs.write("bus/event_source/devices/cpu_atom/cpus", "\n");
  const auto sets = event_sets_for(machine_of(alder_lake(), sysfs));
  ASSERT_TRUE(sets) << sets.error().message;
  EXPECT_EQ(tables_of(*sets), std::vector<std::string>{"golden_cove"});
}

TEST(EventTables, refuse_a_machine_with_a_kind_of_core_that_none_is_for) {
  const FakeSysfs sysfs({"cpu_core", "cpu_atom", "cpu_lowpower"});
  const auto sets = event_sets_for(machine_of(alder_lake(), sysfs));
  ASSERT_FALSE(sets);
  EXPECT_NE(sets.error().message.find("cpu_lowpower"), std::string::npos);
}

TEST(EventTables, give_raw_events_where_the_kernel_shows_no_pmu) {
  const FakeSysfs sysfs({});
  const KnownMachine known{"EPYC 9654", {"AuthenticAMD", 25, 0x11, 1, ""}, {}, true, {}};
  const auto sets = event_sets_for(machine_of(known, sysfs));
  ASSERT_TRUE(sets) << sets.error().message;
  ASSERT_EQ(tables_of(*sets), std::vector<std::string>{"zen4"});
  EXPECT_EQ(sets->front().instructions.type, std::uint32_t{PERF_TYPE_RAW});
  EXPECT_EQ(sets->front().pmu, "cpu");
}

TEST(EventTables, refuse_a_pmu_without_a_readable_number) {
  const FakeSysfs sysfs({"cpu_core", "cpu_atom"});
  sysfs.write("bus/event_source/devices/cpu_atom/type", "ten\n");
  EXPECT_FALSE(event_sets_for(machine_of(alder_lake(), sysfs)));
}

// --- CPUs that no file is for --------------------------------------------------------------------

Machine unknown_machine(const FakeSysfs& sysfs) {
  Machine machine;
  machine.cpu = {"GenuineIntel", 19, 1, 0, "Future"};
  machine.sysfs = sysfs.path();
  machine.kernel_counts = [](std::uint32_t, std::uint64_t) { return true; };
  return machine;
}

TEST(UnknownCpu, is_counted_with_the_kernels_events_if_it_has_all_four) {
  const FakeSysfs sysfs({"cpu"});
  const auto sets = event_sets_for(unknown_machine(sysfs));
  ASSERT_TRUE(sets) << sets.error().message;
  ASSERT_EQ(sets->size(), 1U);
  const EventSet& set = sets->front();
  EXPECT_EQ(set.table, "generic");
  EXPECT_EQ(set.instructions.type, std::uint32_t{PERF_TYPE_HARDWARE});
  EXPECT_EQ(set.instructions.config, std::uint64_t{PERF_COUNT_HW_INSTRUCTIONS});
  EXPECT_EQ(set.branches.config, std::uint64_t{PERF_COUNT_HW_BRANCH_INSTRUCTIONS});
  EXPECT_EQ(set.loads.type, std::uint32_t{PERF_TYPE_HW_CACHE});
  EXPECT_EQ(set.loads.config, 0U);
  EXPECT_EQ(set.stores.config, 0x100U);
  EXPECT_NE(set.loads.unit, EventUnit::kRetiredInstructions);
}

TEST(UnknownCpu, is_counted_on_each_kind_of_core_with_that_ones_pmu) {
  const FakeSysfs sysfs({"cpu_core", "cpu_atom"});
  const auto sets = event_sets_for(unknown_machine(sysfs));
  ASSERT_TRUE(sets) << sets.error().message;
  ASSERT_EQ(sets->size(), 2U);
  EXPECT_EQ((*sets)[0].stores.config, 0x100U | std::uint64_t{4} << 32U);
  EXPECT_EQ((*sets)[1].stores.config, 0x100U | std::uint64_t{FakeSysfs::kSecondType} << 32U);
}

TEST(UnknownCpu, is_refused_if_one_of_the_four_is_missing_which_is_named) {
  const FakeSysfs sysfs({"cpu"});
  Machine machine = unknown_machine(sysfs);
  machine.kernel_counts = [](std::uint32_t type, std::uint64_t config) {
    return type != PERF_TYPE_HW_CACHE || config == 0;
  };
  const auto sets = event_sets_for(machine);
  ASSERT_FALSE(sets);
  EXPECT_TRUE(sets.error().message.ends_with(": stores")) << sets.error().message;
  EXPECT_NE(sets.error().message.find("family 19, model 0x1"), std::string::npos);
}

// L1D READ counts loads and stores there.
TEST(UnknownCpu, of_amd_is_refused_whatever_the_kernel_offers) {
  const FakeSysfs sysfs({"cpu"});
  for (const char* vendor : {"AuthenticAMD", "HygonGenuine"}) {
    Machine machine = unknown_machine(sysfs);
    machine.cpu.vendor = vendor;
    EXPECT_FALSE(event_sets_for(machine)) << vendor;
  }
}

// --- This machine --------------------------------------------------------------------------------

TEST(HyperThreading, is_seen_also_while_its_threads_are_offline) {
  const std::vector<std::pair<std::string, bool>> controls{{"on\n", true},
                                                           {"off\n", true},
                                                           {"forceoff\n", true},
                                                           {"notsupported\n", false},
                                                           {"notimplemented\n", false}};
  for (const auto& [control, expected] : controls) {
    const FakeSysfs sysfs({});
    sysfs.write("devices/system/cpu/smt/control", control);
    EXPECT_EQ(has_hyperthreading(sysfs.path()), expected) << control;
  }
  for (const auto& [siblings, expected] :
       {std::pair{"0,4\n", true}, std::pair{"0-1\n", true}, std::pair{"0\n", false}}) {
    const FakeSysfs sysfs({});
    sysfs.write("devices/system/cpu/cpu0/topology/thread_siblings_list", siblings);
    EXPECT_EQ(has_hyperthreading(sysfs.path()), expected) << siblings;
  }
}

TEST(ThisMachine, has_events_or_a_reason_why_not) {
  const Machine machine = this_machine();
  EXPECT_FALSE(machine.cpu.vendor.empty());
  const auto sets = event_sets_for(machine);
  if (sets)
    for (const EventSet& set : *sets) EXPECT_TRUE(check_encoding(set)) << set.table;
  else
    EXPECT_NE(sets.error().message.find(machine.cpu.vendor), std::string::npos);
}

}  // namespace
}  // namespace bops::pmu

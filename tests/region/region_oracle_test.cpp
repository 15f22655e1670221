// An engine as slow as it is simple: it steps through programs, answers their region library, and
// gives each instruction to the regions that are open. Other engines are held against what it
// finds.
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "collectors/exact/decode/instruction.hpp"
#include "collectors/region/region_protocol.h"
#include "model/bops.hpp"
#include "model/run_counts.hpp"
#include "tests/harness/subprocess.hpp"
#include "tests/oracle/instruction_bytes.hpp"
#include "tests/oracle/single_stepper.hpp"
#include "tests/region/region_rows.hpp"

namespace bops {
namespace {

std::string read_text(pid_t tid, std::uint64_t address) {
  std::string text;
  while (text.size() < BOPS_REGION_MAX_NAME_SIZE) {
    errno = 0;
    const long word = ptrace(PTRACE_PEEKDATA, tid, address, nullptr);
    if (errno != 0 || (word & 0xff) == 0) break;
    text += static_cast<char>(word & 0xff);
    ++address;
  }
  return text;
}

class SteppingEngine {
 public:
  RegionRows run(const std::vector<std::string>& command) {
    const auto result = oracle::single_step(command, oracle::Follow::kEverything,
                                            [this](const oracle::Step& step) { on_step(step); });
    EXPECT_TRUE(result) << result.error().message;
    if (result) {
      EXPECT_EQ(result->exit_code, 0);
    }
    RegionRows rows;
    for (const auto& [tid, thread] : threads_) {
      for (const auto& [name, region] : thread.regions) rows.regions.push_back(row(name, region));
      if (!thread.work.empty()) rows.thread_work.push_back(values_of(thread.work));
    }
    return rows;
  }

  [[nodiscard]] int probes() const { return probes_; }

 private:
  struct Thread {
    std::vector<std::string> open;
    std::map<std::string, RegionCounts> regions;
    Work work;
  };

  static std::map<std::string, std::int64_t> values_of(const Work& work) {
    std::map<std::string, std::int64_t> values;
    for (const auto& [unit, amount] : work)
      values["work." + unit] = static_cast<std::int64_t>(amount);
    return values;
  }

  static RegionRow row(const std::string& name, const RegionCounts& region) {
    RegionRow row{name, values_of(region.work)};
    const auto set = [&row](const char* field, std::uint64_t value) {
      row.values[field] = static_cast<std::int64_t>(value);
    };
    const InstructionCounts& instructions = region.counts.instructions;
    set("entries", region.entries);
    set("instructions", instructions.total);
    set("loads", instructions.loads);
    set("stores", instructions.stores);
    set("branches", instructions.branches);
    row.values["bops_formula"] = bops_formula(instructions);
    set("integer", region.counts.operations->integer);
    set("floating_point", region.counts.operations->floating_point);
    set("address", region.counts.operations->address);
    return row;
  }

  void on_step(const oracle::Step& step) {
    Thread& thread = threads_[step.tid];
    const exact::DecodedInstruction instruction = exact::decode_instruction(step.bytes);
    const std::set<std::string> names(thread.open.begin(), thread.open.end());
    for (const std::string& name : names)
      thread.regions[name].counts +=
          Counts{instruction.counts(), instruction.operations, instruction.classes()};
    if (oracle::is_system_call_instruction(step.bytes)) on_system_call(step.tid, thread, names);
  }

  void on_system_call(pid_t tid, Thread& thread, const std::set<std::string>& names) {
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, tid, nullptr, &registers);
    if (registers.rdi != BOPS_REGION_MAGIC) return;
    switch (registers.rsi) {
      case BOPS_REGION_PROBE:
        EXPECT_EQ(registers.rax, static_cast<std::uint64_t>(tid)) << "natively it is gettid";
        ++probes_;
        registers.rax = BOPS_REGION_PRESENT;
        ptrace(PTRACE_SETREGS, tid, nullptr, &registers);
        break;
      case BOPS_REGION_BEGIN: {
        thread.open.push_back(read_text(tid, registers.rdx));
        RegionCounts& region = thread.regions[thread.open.back()];
        if (region.entries++ == 0) region.counts = Counts::exact_zero();
        break;
      }
      case BOPS_REGION_END:
        if (!thread.open.empty()) thread.open.pop_back();
        break;
      case BOPS_REGION_WORK: {
        const Work work{{read_text(tid, registers.rdx), registers.r10}};
        add_work(thread.work, work);
        for (const std::string& name : names) add_work(thread.regions[name].work, work);
        break;
      }
      default: ADD_FAILURE() << "operation " << registers.rsi;
    }
  }

  std::map<pid_t, Thread> threads_;
  int probes_ = 0;
};

TEST(RegionOracle, finds_what_stands_in_the_source_of_the_program) {
  SteppingEngine engine;
  expect_regions_of_program(engine.run({harness::target_program("regions")}));
  EXPECT_EQ(engine.probes(), 1) << "the library asks once; a child that fork starts knows";
}

std::int64_t value(const RegionRows& rows, const std::string& name, const std::string& field) {
  for (const RegionRow& row : rows.regions)
    if (row.name == name && row.values.contains(field)) return row.values.at(field);
  return -1;
}

TEST(RegionOracle, finds_regions_that_are_loaded_at_run_time) {
  SteppingEngine engine;
  const RegionRows rows =
      engine.run({harness::target_program("regions_loaded"), BOPS_REGION_LIBRARY});
  ASSERT_EQ(rows.regions.size(), 2U) << "one of them without a name";
  EXPECT_EQ(value(rows, "", "entries"), 1);
  EXPECT_EQ(value(rows, "loaded", "entries"), 1);
  EXPECT_EQ(value(rows, "loaded", "work.items"), 2);
  EXPECT_GE(value(rows, "loaded", "instructions"), 2000);
  EXPECT_LT(value(rows, "loaded", "instructions"), 2100) << "lazy binding is not in it";
  EXPECT_EQ(engine.probes(), 1);
}

}  // namespace
}  // namespace bops

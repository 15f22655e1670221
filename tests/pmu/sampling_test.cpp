// Samples of instruction addresses by function. With page faults, which happen in functions that
// programs decide, and a sample of each of them, all numbers are exact on any machine.
#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "collectors/pmu/sample_buffer.hpp"
#include "collectors/pmu/sample_record.hpp"
#include "counted_run.hpp"
#include "platform/elf_file.hpp"

namespace bops::pmu {
namespace {

constexpr CountingOptions kEveryFault{.sample_period = 1};

CountedRun sample_faults(const std::vector<std::string>& command,
                         const CountingOptions& options = kEveryFault) {
  return count_faults(command, options);
}

/// Samples of page faults ("instructions").
std::uint64_t faults_in(const SampledFunctions& sampled, const std::string& image,
                        const std::string& function) {
  std::uint64_t sum = 0;
  for (const SampledFunction& row : sampled.functions)
    if (row.image == image && (function.empty() || row.name == function))
      sum += row.samples.front();
  return sum;
}

std::string text_of(const SampledFunctions& sampled) {
  std::string text;
  for (const SampledFunction& row : sampled.functions)
    text += row.image + " " + row.build_id + " " + row.name + " " +
            std::to_string(row.samples.front()) + "\n";
  return text;
}

void expect_a_sample_for_each_count(const CountedRun& run) {
  ASSERT_FALSE(run.refused) << run.refused->message;
  ASSERT_TRUE(run.counts.sampled);
  EXPECT_EQ(run.counts.sampled->lost, 0U);
  EXPECT_EQ(run.counts.sampled->threads_without, 0U);
  const InstructionCounts totals = run.counts.totals().instructions;
  const FormulaSamples expected{totals.total, totals.loads, totals.stores, totals.branches};
  EXPECT_EQ(run.counts.sampled->all(), expected);
}

TEST(Sampling, names_the_function_that_each_page_fault_happened_in) {
  constexpr std::uint64_t kTouched = 60 * (1 + 2 + 3 + 4 + 5);
  const std::string path = program("touch_pages");
  const CountedRun run = sample_faults({path, "5", "60"});
  expect_a_sample_for_each_count(run);
  const SampledFunctions& sampled = *run.counts.sampled;
  EXPECT_GE(faults_in(sampled, path, "run"), kTouched) << text_of(sampled);
  EXPECT_LT(faults_in(sampled, path, "run"), kTouched + kTouched / 10);
  for (const SampledFunction& row : sampled.functions) {
    if (row.image == path) {
      EXPECT_EQ(row.build_id, elf_build_id(path));
    }
    EXPECT_EQ(row.estimate.bops_formula,
              static_cast<std::int64_t>(row.samples[0] - row.samples[1] - row.samples[2] -
                                        row.samples[3]));
  }
}

TEST(Sampling, a_longer_period_gives_as_much_less_samples) {
  constexpr std::uint64_t kPeriod = 10;
  const CountedRun run = sample_faults({program("touch_pages"), "4", "100"},
                                       CountingOptions{.sample_period = kPeriod});
  ASSERT_FALSE(run.refused) << run.refused->message;
  const std::uint64_t samples = run.counts.sampled->all().front();
  const std::uint64_t faults = run.counts.totals().instructions.total;
  EXPECT_LE(samples * kPeriod, faults);
  // Less than a period is left of each thread.
  EXPECT_GE((samples + run.counts.threads.size()) * kPeriod, faults);
}

TEST(Sampling, knows_the_code_of_children_that_execute_nothing_new) {
  const std::string path = program("fork_tree");
  const CountedRun run = sample_faults({path, "3", "1000", "2"});
  expect_a_sample_for_each_count(run);
  EXPECT_GT(faults_in(*run.counts.sampled, path, ""), 0U);
  EXPECT_EQ(faults_in(*run.counts.sampled, "[unknown]", ""), 0U);
  EXPECT_EQ(faults_in(*run.counts.sampled, "[anonymous]", ""), 0U);
}

TEST(Sampling, goes_on_with_the_code_of_a_new_program_after_execve) {
  const std::string path = program("process_tree");
  const CountedRun run = sample_faults({path, "2", "3"});
  expect_a_sample_for_each_count(run);
  EXPECT_GT(faults_in(*run.counts.sampled, path, ""), 0U);
  EXPECT_EQ(faults_in(*run.counts.sampled, "[unknown]", ""), 0U);
}

TEST(Sampling, empties_buffers_while_the_target_runs) {
  // More than a buffer holds, by one thread.
  constexpr std::uint64_t kPages = 20000;
  const CountedRun run = sample_faults({program("touch_pages"), "1", std::to_string(kPages)});
  ASSERT_FALSE(run.refused) << run.refused->message;
  const SampledFunctions& sampled = *run.counts.sampled;
  const FormulaSamples all = sampled.all();
  const InstructionCounts totals = run.counts.totals().instructions;
  const std::uint64_t sampled_or_lost = all[0] + all[1] + all[2] + all[3] + sampled.lost;
  const std::uint64_t counted = totals.total + totals.loads + totals.stores + totals.branches;
  EXPECT_GE(sampled_or_lost, counted);
  EXPECT_LE(sampled_or_lost, counted + 20) << "records of mappings may be lost as well";
  const bool told = std::any_of(run.counts.warnings.begin(), run.counts.warnings.end(),
                                [](const Warning& each) { return each.code == "samples_lost"; });
  EXPECT_EQ(told, sampled.lost > 0);
  EXPECT_GT(all[0], 2 * SampleBuffer::kRingBytes / 64) << "no more than a buffer was taken";
}

TEST(Sampling, is_refused_where_it_would_mislead) {
  const auto reason_of = [](Division division, const std::vector<EventSet>& sets,
                            const CountingOptions& options) {
    HardwareCollector collector("it", division, sets);
    const auto configured = collector.configure(options);
    return configured ? std::string() : configured.error().message;
  };
  EXPECT_NE(reason_of(Division::kPapi, software_events(), kEveryFault).find("PAPI"),
            std::string::npos);
  EXPECT_NE(reason_of(Division::kPerf, software_events(), {.follow = false, .sample_period = 1})
                .find("ptrace"),
            std::string::npos);
  std::vector<EventSet> in_turn = software_events();
  in_turn.front().groups = {{Role::kInstructions, Role::kLoads}, {Role::kStores, Role::kBranches}};
  EXPECT_NE(reason_of(Division::kPerf, in_turn, kEveryFault).find("do not fit"), std::string::npos);
  EXPECT_EQ(reason_of(Division::kPerf, software_events(), kEveryFault), "");
}

TEST(Sampling, none_is_taken_unasked) {
  EXPECT_FALSE(count_faults({program("touch_pages"), "1", "1"}).counts.sampled);
}

/// A ring of the kernel's, by hand.
class Ring {
 public:
  static constexpr std::size_t kBytes = 128;
  /// `claimed`: the size that the record says it has.
  void put(std::uint32_t type, std::uint16_t size, std::byte filling,
           std::optional<std::uint16_t> claimed = {}) {
    std::vector<std::byte> record(size, filling);
    const perf_event_header header{type, 0, claimed.value_or(size)};
    std::memcpy(record.data(), &header, sizeof(header));
    for (const std::byte byte : record) ring_[control_.data_head++ % kBytes] = byte;
  }
  SampleBuffer buffer() { return {&control_, ring_}; }
  [[nodiscard]] std::uint64_t read_up_to() const { return control_.data_tail; }

 private:
  perf_event_mmap_page control_{};
  std::array<std::byte, kBytes> ring_{};
};

TEST(SampleBuffer, gives_records_whole_that_go_over_the_end_of_the_ring) {
  Ring ring;
  SampleBuffer buffer = ring.buffer();
  std::size_t taken = 0;
  constexpr std::uint16_t kSize = 40;  // 128 is no multiple of it
  for (int round = 0; round < 20; ++round) {
    const auto filling = static_cast<std::byte>(round);
    ring.put(PERF_RECORD_SAMPLE, kSize, filling);
    buffer.drain([&](std::span<const std::byte> record) {
      ++taken;
      ASSERT_EQ(record.size(), kSize);
      EXPECT_TRUE(std::all_of(record.begin() + sizeof(perf_event_header), record.end(),
                              [&](std::byte byte) { return byte == filling; }));
    });
    EXPECT_EQ(ring.read_up_to(), static_cast<std::uint64_t>(kSize) * (round + 1U));
  }
  EXPECT_EQ(taken, 20U);
}

TEST(SampleBuffer, a_damaged_record_ends_what_is_read_and_not_the_program) {
  constexpr std::uint16_t kSize = 24;
  for (const std::uint16_t claimed : std::initializer_list<std::uint16_t>{0, 4, 25, 60000}) {
    Ring ring;
    SampleBuffer buffer = ring.buffer();
    ring.put(PERF_RECORD_SAMPLE, kSize, std::byte{0});
    ring.put(PERF_RECORD_SAMPLE, kSize, std::byte{0}, claimed);
    std::size_t taken = 0;
    buffer.drain([&](std::span<const std::byte>) { ++taken; });
    EXPECT_EQ(taken, 1U);
    EXPECT_EQ(ring.read_up_to(), 2 * kSize) << "what was not understood would stay for ever";
    ring.put(PERF_RECORD_SAMPLE, kSize, std::byte{0});
    buffer.drain([&](std::span<const std::byte>) { ++taken; });
    EXPECT_EQ(taken, 2U) << "later records are read";
  }
}

template <class Value>
void append(std::vector<std::byte>& bytes, Value value) {
  const std::size_t end = bytes.size();
  bytes.resize(end + sizeof(value));
  std::memcpy(bytes.data() + end, &value, sizeof(value));
}

std::vector<std::byte> mapping_record(bool with_build_id) {
  std::vector<std::byte> bytes;
  constexpr std::uint16_t kBuildId = 1U << 14U;
  append(bytes,
         perf_event_header{PERF_RECORD_MMAP2, with_build_id ? kBuildId : std::uint16_t{0}, 0});
  for (const std::uint32_t id : {7U, 8U}) append(bytes, id);
  for (const std::uint64_t number : {0x1000UL, 0x500UL, 0x200UL}) append(bytes, number);
  append(bytes, std::uint32_t{20});
  for (int i = 0; i < 20; ++i) append(bytes, std::uint8_t{0xab});
  for (const std::uint32_t number : {5U, 2U}) append(bytes, number);
  for (const char c : {'/', 'b', '\0'}) append(bytes, c);
  return bytes;
}

TEST(SampleRecord, tells_where_a_file_was_mapped) {
  for (const bool with_build_id : {true, false}) {
    const auto record = parse_sample_record(mapping_record(with_build_id));
    ASSERT_TRUE(record);
    const auto& mapping = std::get<CodeMapping>(*record);
    EXPECT_EQ(mapping.pid, 7);
    EXPECT_EQ(mapping.start, 0x1000U);
    EXPECT_EQ(mapping.end, 0x1500U);
    EXPECT_EQ(mapping.file_offset, 0x200U);
    EXPECT_EQ(mapping.path, "/b");
    std::string expected;
    for (int i = 0; with_build_id && i < 20; ++i) expected += "ab";
    EXPECT_EQ(mapping.build_id, expected);
  }
}

TEST(SampleRecord, that_is_cut_short_anywhere_says_nothing_wrong) {
  const std::vector<std::byte> whole = mapping_record(true);
  for (const std::uint32_t type : {PERF_RECORD_SAMPLE, PERF_RECORD_MMAP2, PERF_RECORD_COMM,
                                   PERF_RECORD_LOST, PERF_RECORD_EXIT})
    for (std::size_t size = 0; size < whole.size(); ++size) {
      std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      if (size >= sizeof(type)) std::memcpy(cut.data(), &type, sizeof(type));
      const auto record = parse_sample_record(cut);
      if (type == PERF_RECORD_EXIT || size < sizeof(perf_event_header) + 8) {
        EXPECT_FALSE(record) << type << " of " << size;
      }
    }
}

}  // namespace
}  // namespace bops::pmu

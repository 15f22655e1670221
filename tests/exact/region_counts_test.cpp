// Regions and work from hand-made profiles: what is nested counts for all around it, and once.
#include "collectors/exact/region_counts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "collectors/exact/block_counts.hpp"
#include "collectors/exact/block_profile.hpp"
#include "platform/file_mapping.hpp"
#include "tests/harness/subprocess.hpp"

extern "C" {
#include "collectors/exact/profile_writer.h"
}

namespace bops::exact {
namespace {

/// A profile with one block, add rax, rbx; ret: two instructions, one of them a load.
class Regions : public ::testing::Test {
 protected:
  Regions() {
    EXPECT_TRUE(create_block_profile(path_, "test", 1000));
    EXPECT_TRUE(profile_writer_open(&writer_, path_.c_str()));
    profile_writer_start_process(&writer_, 10, 1, "/bin/program", 12);
    auto* block = profile_writer_new_block(&writer_, profile_writer_take_ids(&writer_, 1), 2, 4);
    const std::vector<std::uint8_t> data = {3, 1, 0x48, 0x01, 0xd8, 0xc3};
    block->mapping = BOPS_PROFILE_NONE;
    std::copy(data.begin(), data.end(), block->data);
    profile_record_publish(&block->record, BOPS_RECORD_BLOCK);
    block_ = block->id;
  }

  std::uint32_t thread(pid_t tid) {
    auto* thread = profile_writer_start_thread(&writer_, tid, "t");
    thread->start_mono_ns = 1000 + static_cast<std::uint64_t>(tid);
    return thread->index;
  }

  bops_profile_region* region(std::uint32_t thread, std::uint32_t parent, const std::string& name,
                              std::uint64_t entries, std::uint64_t executions) {
    auto* region = profile_writer_start_region(&writer_, thread, parent, name.data(), name.size());
    region->entries = entries;
    run(region->index, executions);
    return region;
  }

  bops_profile_counters* run(std::uint32_t index, std::uint64_t executions) {
    auto* counters = profile_writer_new_counters(&writer_, index, block_, 1);
    counters->counters[0] = executions;
    return counters;
  }

  void pack(std::uint32_t index, std::uint64_t executions) {
    auto* packed = profile_writer_new_packed(&writer_, index, 1);
    packed->entry[0] = {block_, executions};
    profile_record_publish(&packed->record, BOPS_RECORD_PACKED);
  }

  void work(std::uint32_t index, const char* unit, std::uint64_t amount) {
    profile_writer_add_work(&writer_, index, unit)->amount = amount;
  }

  [[nodiscard]] RunCounts count() const {
    const auto mapping = FileMapping::open(path_, FileMapping::Access::kReadOnly);
    const auto profile = read_block_profile(mapping->bytes());
    EXPECT_TRUE(profile) << profile.error().message;
    malformed_ = profile->malformed;
    return BlockCounter("test").count(*profile);
  }

  harness::TemporaryDirectory directory_;
  std::string path_ = directory_ / "profile";
  profile_writer writer_{};
  std::uint64_t block_ = 0;
  mutable std::uint32_t malformed_ = 0;
};

constexpr std::uint32_t kNone = BOPS_PROFILE_NONE;

/// How often the block ran in the region's row.
std::uint64_t executions(const RegionCounts& region) {
  EXPECT_EQ(region.counts.instructions,
            (InstructionCounts{2, 1, 0, 1}.times(region.counts.instructions.loads)));
  EXPECT_EQ(region.counts.operations->integer, region.counts.instructions.loads);
  return region.counts.instructions.loads;
}

TEST_F(Regions, that_are_nested_count_for_those_around_them_and_for_the_thread) {
  const auto main = thread(11);
  run(main, 1);
  const auto outer = region(main, kNone, "outer", 1, 10)->index;
  const auto middle = region(main, outer, "middle", 2, 100)->index;
  region(main, middle, "inner", 3, 1000);
  region(main, outer, "other", 4, 10'000);
  const RunCounts run = count();
  ASSERT_EQ(run.regions.size(), 4U);
  EXPECT_EQ(run.regions[0].name, "outer");
  EXPECT_EQ(executions(run.regions[0]), 11'110U);
  EXPECT_EQ(run.regions[1].name, "middle");
  EXPECT_EQ(executions(run.regions[1]), 1'100U);
  EXPECT_EQ(run.regions[2].name, "inner");
  EXPECT_EQ(executions(run.regions[2]), 1'000U);
  EXPECT_EQ(run.regions[3].name, "other");
  EXPECT_EQ(executions(run.regions[3]), 10'000U);
  ASSERT_EQ(run.threads.size(), 1U);
  EXPECT_EQ(run.threads[0].counts.instructions.loads, 11'111U);
  EXPECT_EQ(run.totals(), run.threads[0].counts);
  EXPECT_EQ(run.processes.at(0).counts, run.totals());
  EXPECT_EQ(run.quality, Quality::kExact);
  for (const RegionCounts& region : run.regions) {
    EXPECT_EQ(region.pid, 10);
    EXPECT_EQ(region.tid, 11);
    EXPECT_EQ(region.thread_start_ns, run.threads[0].start_ns);
  }
}

TEST_F(Regions, of_one_name_in_different_places_are_one_row) {
  const auto main = thread(11);
  const auto a = region(main, kNone, "a", 1, 1)->index;
  const auto b = region(main, kNone, "b", 1, 10)->index;
  region(main, a, "leaf", 5, 100);
  region(main, b, "leaf", 7, 1000);
  const RunCounts run = count();
  ASSERT_EQ(run.regions.size(), 3U);
  EXPECT_EQ(run.regions[2].entries, 12U);
  EXPECT_EQ(executions(run.regions[2]), 1'100U);
}

TEST_F(Regions, inside_themselves_count_once) {
  const auto main = thread(11);
  const auto a = region(main, kNone, "a", 1, 1)->index;
  const auto aa = region(main, a, "a", 1, 10)->index;
  const auto aab = region(main, aa, "b", 1, 100)->index;
  const auto aaba = region(main, aab, "a", 1, 1000)->index;
  work(aaba, "tokens", 7);
  region(main, aaba, "b", 1, 10'000);
  const RunCounts run = count();
  ASSERT_EQ(run.regions.size(), 2U);
  EXPECT_EQ(executions(run.regions[0]), 11'111U);
  EXPECT_EQ(run.regions[0].entries, 3U) << "each begin is an entry";
  EXPECT_EQ(run.regions[0].work.at("tokens"), 7U);
  EXPECT_EQ(executions(run.regions[1]), 11'100U);
  EXPECT_EQ(run.regions[1].entries, 2U);
  EXPECT_EQ(run.regions[1].work.at("tokens"), 7U);
  EXPECT_EQ(run.totals().instructions.loads, 11'111U);
}

TEST_F(Regions, that_share_a_context_give_the_sums_of_those_that_do_not) {
  // a/b/a/b in a context of its own in the one thread, in that of a/b in the other.
  const auto apart = thread(11);
  const auto a = region(apart, kNone, "a", 1, 1)->index;
  const auto ab = region(apart, a, "b", 1, 10)->index;
  const auto aba = region(apart, ab, "a", 1, 100)->index;
  region(apart, aba, "b", 1, 1000);
  const auto shared = thread(12);
  const auto a2 = region(shared, kNone, "a", 1, 1)->index;
  const auto ab2 = region(shared, a2, "b", 2, 1010)->index;
  region(shared, ab2, "a", 1, 100);
  const RunCounts run = count();
  ASSERT_EQ(run.regions.size(), 4U);
  for (const std::size_t name : {0, 1}) {
    EXPECT_EQ(run.regions[name].name, run.regions[name + 2].name);
    EXPECT_EQ(run.regions[name].entries, run.regions[name + 2].entries);
    EXPECT_EQ(run.regions[name].counts, run.regions[name + 2].counts);
  }
}

TEST_F(Regions, of_two_threads_are_kept_apart) {
  const auto first = thread(11);
  const auto second = thread(12);
  run(first, 1);
  const auto a = region(first, kNone, "same", 1, 10)->index;
  const auto b = region(second, kNone, "same", 2, 100)->index;
  work(a, "tokens", 3);
  work(b, "tokens", 4);
  const RunCounts run = count();
  ASSERT_EQ(run.regions.size(), 2U);
  EXPECT_EQ(run.regions[0].tid, 11);
  EXPECT_EQ(executions(run.regions[0]), 10U);
  EXPECT_EQ(run.regions[0].work.at("tokens"), 3U);
  EXPECT_EQ(run.regions[1].tid, 12);
  EXPECT_EQ(executions(run.regions[1]), 100U);
  EXPECT_EQ(run.threads[0].counts.instructions.loads, 11U);
  EXPECT_EQ(run.threads[1].counts.instructions.loads, 100U);
  EXPECT_EQ(run.total_work(), (Work{{"tokens", 7}}));
}

TEST_F(Regions, have_the_work_of_what_is_nested_and_the_thread_has_all_of_it) {
  const auto main = thread(11);
  const auto outer = region(main, kNone, "outer", 1, 1)->index;
  const auto inner = region(main, outer, "inner", 1, 1)->index;
  work(main, "tokens", 1);
  work(main, "files", 9);
  work(outer, "requests", 2);
  work(inner, "tokens", 30);
  work(inner, "tokens", 4);
  const RunCounts run = count();
  EXPECT_EQ(run.regions.at(0).work, (Work{{"requests", 2}, {"tokens", 34}}));
  EXPECT_EQ(run.regions.at(1).work, (Work{{"tokens", 34}}));
  EXPECT_EQ(run.threads.at(0).work, (Work{{"files", 9}, {"requests", 2}, {"tokens", 35}}));
}

TEST_F(Regions, of_a_packed_thread_count_once) {
  auto* record = profile_writer_start_thread(&writer_, 11, "t");
  const auto main = record->index;
  auto* of_thread = run(main, 5);
  const auto outer = region(main, kNone, "outer", 1, 0)->index;
  auto* of_region = run(outer, 7);
  pack(main, 5);
  pack(outer, 7);
  EXPECT_EQ(executions(count().regions.at(0)), 7U) << "not packed yet";
  record->packed = 1;
  of_thread->counters[0] = of_region->counters[0] = 999;  // others' by now
  const RunCounts run = count();
  EXPECT_EQ(executions(run.regions.at(0)), 7U);
  EXPECT_EQ(run.totals().instructions.loads, 12U);
}

TEST_F(Regions, whose_parents_are_wrong_are_left_out_and_told) {
  const auto main = thread(11);
  const auto other = thread(12);
  const auto good = region(main, kNone, "good", 1, 1)->index;
  auto* ring = region(main, kNone, "ring", 1, 10);
  auto* ring_too = region(main, ring->index, "ring too", 1, 100);
  ring->parent = ring_too->index;
  auto* of_itself = region(main, good, "of itself", 1, 1000);
  of_itself->parent = of_itself->index;
  region(other, good, "of another thread", 1, 10'000);
  region(4711, kNone, "of no thread", 1, 100'000);
  auto* twin = region(main, kNone, "twin of a thread", 1, 0);
  twin->index = other;
  work(4712, "of nobody", 1);
  const RunCounts run = count();
  ASSERT_EQ(run.regions.size(), 1U);
  EXPECT_EQ(run.regions[0].name, "good");
  EXPECT_EQ(executions(run.regions[0]), 1U);
  EXPECT_EQ(run.totals().instructions.loads, 1U);
  EXPECT_EQ(malformed_, 6U + 5U + 1U) << "regions, counters that are not 0, work of nobody";
  EXPECT_EQ(run.quality, Quality::kPartial);
}

TEST_F(Regions, may_be_nested_as_deep_as_the_format_says) {
  const auto main = thread(11);
  std::uint32_t parent = kNone;
  for (int depth = 0; depth < BOPS_PROFILE_MAX_REGION_DEPTH; ++depth)
    parent = region(main, parent, "level " + std::to_string(depth), 1, 1)->index;
  RunCounts run = count();
  EXPECT_EQ(malformed_, 0U);
  ASSERT_EQ(run.regions.size(), std::size_t{BOPS_PROFILE_MAX_REGION_DEPTH});
  EXPECT_EQ(executions(run.regions.front()), std::uint64_t{BOPS_PROFILE_MAX_REGION_DEPTH});
  EXPECT_EQ(executions(run.regions.back()), 1U);
  region(main, parent, "too deep", 1, 1);
  run = count();
  EXPECT_EQ(malformed_, 2U);
  EXPECT_EQ(run.regions.size(), std::size_t{BOPS_PROFILE_MAX_REGION_DEPTH});
}

TEST_F(Regions, that_begin_while_the_profile_is_read_look_like_no_damage) {
  const auto main = thread(11);
  constexpr int kRounds = 15;
  constexpr std::size_t kChunks = 100;
  constexpr std::size_t kContexts = 1000;  // fit one extent
  std::atomic<bool> ended = false;
  std::thread writer([&] {
    for (int round = 0; round < kRounds; ++round) {
      // Records in one extent, counters in the next: a reader who has just left the records finds
      // counters of contexts that it has not seen.
      writer_.free_begin = writer_.free_end = writer_.populated_end = nullptr;
      region(main, kNone, "first", 1, 0);
      profile_writer behind = writer_;
      behind.free_begin = behind.free_end = behind.populated_end = nullptr;
      std::vector<bops_profile_counters*> chunks;
      for (std::size_t i = 0; i < kChunks; ++i) {
        chunks.push_back(profile_writer_new_counters(&behind, kNone, block_, 1));
        chunks.back()->counters[0] = 1;
      }
      for (std::size_t i = 0; i < kContexts; ++i) {
        const auto index = profile_writer_start_region(&writer_, main, kNone, "again", 5)->index;
        __atomic_store_n(&chunks[i % kChunks]->thread, index, __ATOMIC_RELEASE);
        // Not faster than the reader, who else sees all of them.
        const auto next = std::chrono::steady_clock::now() + std::chrono::microseconds(2);
        while (std::chrono::steady_clock::now() < next) {
        }
      }
    }
    ended = true;
  });
  while (!ended) {
    const RunCounts run = count();
    EXPECT_EQ(malformed_, 0U);
  }
  writer.join();
}

TEST_F(Regions, may_have_any_bytes_for_names) {
  const auto main = thread(11);
  const std::string name("\0\xff\n\"x", 5);
  region(main, kNone, name, 1, 1);
  region(main, kNone, "", 1, 1);
  region(main, kNone, std::string(255, 'n'), 1, 1);
  const RunCounts run = count();
  ASSERT_EQ(run.regions.size(), 3U);
  EXPECT_EQ(run.regions[0].name, name);
  EXPECT_EQ(run.regions[1].name, "");
  EXPECT_EQ(run.regions[2].name.size(), 255U);
}

}  // namespace
}  // namespace bops::exact

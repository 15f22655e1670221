// The profile's writer (C, in the target) and its reader, held against each other.
#include "collectors/exact/block_profile.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <thread>

#include "collectors/exact/block_counts.hpp"
#include "platform/file_mapping.hpp"
#include "tests/harness/subprocess.hpp"

extern "C" {
#include "collectors/exact/profile_writer.h"
}

namespace bops::exact {
namespace {

const std::vector<std::uint8_t> kAddRet = {0x48, 0x01, 0xd8, 0xc3};  // add rax, rbx; ret

std::vector<std::uint8_t> bytes_of(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

class Profile : public ::testing::Test {
 protected:
  Profile() {
    EXPECT_TRUE(create_block_profile(path_, "test", 1000));
    EXPECT_TRUE(profile_writer_open(&writer_, path_.c_str()));
    profile_writer_start_process(&writer_, 10, 1, "/bin/program", 12);
  }

  [[nodiscard]] BlockProfile read() const {
    const auto mapping = FileMapping::open(path_, FileMapping::Access::kReadOnly);
    auto profile = read_block_profile(mapping->bytes());
    EXPECT_TRUE(profile) << profile.error().message;
    return *profile;
  }

  bops_profile_block* add_block(const std::vector<std::uint8_t>& lengths,
                                const std::vector<std::uint8_t>& bytes, std::uint64_t address = 16,
                                std::uint16_t flags = 0, std::uint32_t follows = 0) {
    auto* block = profile_writer_new_block(&writer_, profile_writer_take_ids(&writer_, 1),
                                           static_cast<std::uint16_t>(lengths.size()),
                                           static_cast<std::uint32_t>(bytes.size()));
    block->address = address;
    block->mapping = BOPS_PROFILE_NONE;
    block->flags = flags;
    block->follows = follows;
    std::copy(lengths.begin(), lengths.end(), block->data);
    std::copy(bytes.begin(), bytes.end(), block->data + lengths.size());
    profile_record_publish(&block->record, BOPS_RECORD_BLOCK);
    return block;
  }

  harness::TemporaryDirectory directory_;
  std::string path_ = directory_ / "profile";
  profile_writer writer_{};
};

TEST_F(Profile, gives_back_what_was_written) {
  auto* thread = profile_writer_start_thread(&writer_, 11, "worker");
  const auto* mapping = profile_writer_add_mapping(&writer_, 0, 4096, 8192, 3, 4, "/lib/x.so");
  auto* block = add_block({3, 1}, kAddRet);
  block->mapping = mapping->index;
  auto* counters = profile_writer_new_counters(&writer_, thread->index, block->id, 4);
  counters->counters[0] = 7;
  profile_writer_add_message(&writer_, "hello", 5);

  const BlockProfile profile = read();
  EXPECT_EQ(profile.engine, "test");
  EXPECT_EQ(profile.start_mono_ns, 1000U);
  EXPECT_EQ(profile.malformed, 0U);
  ASSERT_EQ(profile.processes.size(), 1U);
  EXPECT_EQ(profile.processes[0].path, "/bin/program");
  EXPECT_EQ(profile.threads.at(0).name, "worker");
  EXPECT_EQ(profile.mappings.at(0).path, "/lib/x.so");
  EXPECT_EQ(bytes_of(profile.blocks.at(0).bytes), kAddRet);
  ASSERT_EQ(profile.executions.size(), 1U);
  EXPECT_EQ(profile.executions[0].times, 7U);
  EXPECT_EQ(profile.messages, std::vector<std::string>{"hello"});

  const RunCounts run = BlockCounter("test").count(profile);
  EXPECT_EQ(run.quality, Quality::kExact);
  EXPECT_EQ(run.totals().instructions, (InstructionCounts{14, 7, 0, 7}));
  EXPECT_EQ(run.images.at(0).path, "/lib/x.so");
}

TEST_F(Profile, does_not_show_a_record_before_it_is_published) {
  profile_writer_new_block(&writer_, profile_writer_take_ids(&writer_, 1), 2, 4);
  add_block({3, 1}, kAddRet);
  EXPECT_EQ(read().blocks.size(), 1U) << "the one behind the unpublished one is seen";
}

TEST_F(Profile, counts_a_packed_thread_once) {
  auto* thread = profile_writer_start_thread(&writer_, 11, "t");
  const auto* block = add_block({3, 1}, kAddRet);
  auto* counters = profile_writer_new_counters(&writer_, thread->index, block->id, 1);
  counters->counters[0] = 5;
  auto* packed = profile_writer_new_packed(&writer_, thread->index, 1);
  packed->entry[0] = {block->id, 5};
  profile_record_publish(&packed->record, BOPS_RECORD_PACKED);
  EXPECT_EQ(BlockCounter("t").count(read()).totals().instructions.total, 10U);
  thread->packed = 1;
  counters->counters[0] = 999;  // another thread's by now
  EXPECT_EQ(BlockCounter("t").count(read()).totals().instructions.total, 10U);
}

TEST_F(Profile, counts_a_block_left_midway_only_as_far_as_it_went) {
  auto* thread = profile_writer_start_thread(&writer_, 11, "t");
  const auto* block = add_block({3, 1}, kAddRet);
  profile_writer_new_counters(&writer_, thread->index, block->id, 1)->counters[0] = 10;
  profile_writer_add_partial(&writer_, thread->index, block->id, 1)->times = 4;
  EXPECT_EQ(BlockCounter("t").count(read()).totals().instructions,
            (InstructionCounts{6 * 2 + 4, 6, 0, 6}));
}

TEST_F(Profile, counts_joined_blocks_as_often_as_the_first) {
  auto* thread = profile_writer_start_thread(&writer_, 11, "t");
  const auto* first = add_block({3}, {0x48, 0x01, 0xd8});
  const auto* second = add_block({3, 1}, kAddRet, 64, BOPS_BLOCK_FOLLOWS, 1);
  const auto* third = add_block({1}, {0xc3}, 128, BOPS_BLOCK_FOLLOWS, 2);
  const auto* other = add_block({1}, {0xc3}, 192, BOPS_BLOCK_FOLLOWS, 2);  // of no chain
  ASSERT_EQ(third->id, first->id + 2);
  profile_writer_new_counters(&writer_, thread->index, first->id, 4)->counters[0] = 10;
  // Once it was left behind the first instruction of the second.
  profile_writer_add_partial(&writer_, thread->index, second->id, 1)->times = 1;
  profile_writer_add_partial(&writer_, thread->index, third->id, 0)->times = 1;

  const BlockProfile profile = read();
  EXPECT_EQ(profile.malformed, 0U);
  EXPECT_TRUE(std::none_of(profile.executions.begin(), profile.executions.end(),
                           [&](const auto& execution) { return execution.block == other->id; }));
  EXPECT_EQ(BlockCounter("t").count(profile).totals().instructions,
            (InstructionCounts{10 * 4 - 2, 9 + 9, 0, 9 + 9}));
}

TEST_F(Profile, gives_back_regions_and_work_and_adds_them_to_their_thread) {
  const auto thread = profile_writer_start_thread(&writer_, 11, "t")->index;
  const auto* block = add_block({3, 1}, kAddRet);
  auto* outer = profile_writer_start_region(&writer_, thread, BOPS_PROFILE_NONE, "outer", 5);
  auto* inner = profile_writer_start_region(&writer_, thread, outer->index, "inner", 5);
  EXPECT_NE(outer->index, thread);
  outer->entries = 1;
  inner->entries = 2;
  profile_writer_add_work(&writer_, inner->index, "tokens")->amount = 128;
  profile_writer_new_counters(&writer_, thread, block->id, 1)->counters[0] = 1;
  profile_writer_new_counters(&writer_, outer->index, block->id, 1)->counters[0] = 10;
  profile_writer_new_counters(&writer_, inner->index, block->id, 1)->counters[0] = 100;
  profile_writer_add_partial(&writer_, inner->index, block->id, 1)->times = 4;

  const BlockProfile profile = read();
  EXPECT_EQ(profile.malformed, 0U);
  ASSERT_EQ(profile.regions.size(), 2U);
  EXPECT_EQ(profile.regions[0].name, "outer");
  EXPECT_EQ(profile.regions[0].parent, BOPS_PROFILE_NONE);
  EXPECT_EQ(profile.regions[1].name, "inner");
  EXPECT_EQ(profile.regions[1].parent, outer->index);
  EXPECT_EQ(profile.regions[1].thread, thread);
  EXPECT_EQ(profile.regions[1].entries, 2U);
  ASSERT_EQ(profile.work.size(), 1U);
  EXPECT_EQ(profile.work[0].thread, inner->index);
  EXPECT_EQ(profile.work[0].unit, "tokens");
  EXPECT_EQ(profile.work[0].amount, 128U);
  const RunCounts run = BlockCounter("t").count(profile);
  ASSERT_EQ(run.threads.size(), 1U) << "a region is no thread";
  EXPECT_EQ(run.threads[0].counts.instructions.total, 111U * 2 - 4);
}

TEST_F(Profile, keeps_an_unknown_instruction_in_the_total_and_names_its_bytes) {
  auto* thread = profile_writer_start_thread(&writer_, 11, "t");
  const auto* block = add_block({3, 2}, {0x48, 0x01, 0xd8, 0x0f, 0x04});  // 0f 04: undefined
  profile_writer_new_counters(&writer_, thread->index, block->id, 1)->counters[0] = 3;
  const RunCounts run = BlockCounter("t").count(read());
  EXPECT_EQ(run.totals().instructions.total, 6U);
  EXPECT_EQ(run.totals().classes->total(), 6U);
  ASSERT_EQ(run.warnings.size(), 1U);
  EXPECT_EQ(run.warnings[0].code, "unknown_instructions");
  EXPECT_NE(run.warnings[0].message.find("0f 04 (3 times)"), std::string::npos);
}

TEST_F(Profile, drops_a_provisional_tail_that_is_cut_short_and_no_other) {
  auto* thread = profile_writer_start_thread(&writer_, 11, "t");
  const auto count = [&](const std::vector<std::uint8_t>& lengths,
                         const std::vector<std::uint8_t>& bytes, std::uint16_t flags) {
    const auto* block = add_block(lengths, bytes, 4000, flags);
    const BlockProfile profile = read();
    const auto found = std::find_if(profile.blocks.begin(), profile.blocks.end(),
                                    [&](const auto& b) { return b.id == block->id; });
    return instruction_count(*found);
  };
  (void)thread;
  const std::vector<std::uint8_t> cut = {0x90, 0x48, 0xb8, 1, 2};  // nop; mov rax, imm64 (cut)
  EXPECT_EQ(count({1, 4}, cut, BOPS_BLOCK_TAIL_PROVISIONAL), 1U);
  EXPECT_EQ(count({1, 4}, cut, 0), 2U);
  EXPECT_EQ(count({3, 1}, kAddRet, BOPS_BLOCK_TAIL_PROVISIONAL), 2U) << "whole";
  EXPECT_EQ(count({1, 2}, {0x90, 0x0f, 0x04}, BOPS_BLOCK_TAIL_PROVISIONAL), 2U) << "unknown";
}

TEST_F(Profile, tells_uncounted_programs_unless_their_exec_failed) {
  profile_writer_add_uncounted(&writer_, 20, 10, "/bin/su", "it is setuid");
  profile_writer_add_uncounted(&writer_, 21, 10, "/bin/gone", "never mind")->cancelled = 1;
  const RunCounts run = BlockCounter("t").count(read());
  EXPECT_EQ(run.quality, Quality::kPartial);
  ASSERT_EQ(run.processes.size(), 2U);
  EXPECT_FALSE(run.processes[1].counted);
  EXPECT_EQ(run.processes[1].executable, "/bin/su");
  EXPECT_EQ(run.processes[1].reason, "it is setuid");
}

TEST_F(Profile, of_two_processes_writing_at_once_holds_both_whole) {
  constexpr int kBlocks = 5000;
  const pid_t child = ::fork();
  if (child == 0) profile_writer_start_process(&writer_, 11, 10, "/bin/child", 10);
  for (int i = 0; i < kBlocks; ++i) add_block({3, 1}, kAddRet, static_cast<std::uint64_t>(i));
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  const BlockProfile profile = read();
  EXPECT_EQ(profile.processes.size(), 2U);
  EXPECT_EQ(profile.blocks.size(), 2U * kBlocks) << "ids are unique, or some were dropped";
  EXPECT_EQ(profile.malformed, 0U);
}

TEST_F(Profile, that_is_full_tells_so_and_keeps_what_it_has) {
  writer_.header->capacity = 4 * BOPS_PROFILE_EXTENT_SIZE;
  int stored = 0;
  while (profile_writer_new_block(&writer_, 1, 100, 1500) != nullptr) ++stored;
  EXPECT_GT(stored, 90);
  const RunCounts run = BlockCounter("t").count(read());
  EXPECT_EQ(run.quality, Quality::kPartial);
  EXPECT_EQ(run.warnings.at(0).code, "profile_storage_full");
}

TEST_F(Profile, of_another_version_is_refused_with_both_versions) {
  writer_.header->version = 99;
  const auto mapping = FileMapping::open(path_, FileMapping::Access::kReadOnly);
  const auto profile = read_block_profile(mapping->bytes());
  ASSERT_FALSE(profile);
  EXPECT_NE(profile.error().message.find("99"), std::string::npos);
  profile_writer again{};
  EXPECT_FALSE(profile_writer_open(&again, path_.c_str())) << "engines refuse it, too";
}

TEST_F(Profile, with_a_damaged_record_keeps_the_others_and_says_so) {
  auto* block = add_block({3, 1}, kAddRet);
  add_block({3, 1}, kAddRet, 32);
  block->data[0] = 200;  // no instruction is so long
  const BlockProfile profile = read();
  EXPECT_EQ(profile.blocks.size(), 1U);
  EXPECT_EQ(profile.malformed, 1U);
  EXPECT_EQ(BlockCounter("t").count(profile).quality, Quality::kPartial);
}

TEST(ProfileFile, is_private_and_sparse) {
  const harness::TemporaryDirectory directory;
  const std::string path = directory / "profile";
  ASSERT_TRUE(create_block_profile(path, "test", 0));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_LT(status.st_blocks * 512, 1 << 20);
  EXPECT_FALSE(create_block_profile(path, "test", 0)) << "never overwrites one";
}

TEST(ProfileFile, fits_the_limits_that_the_target_inherits) {
  const pid_t child = ::fork();
  if (child == 0) {
    const harness::TemporaryDirectory directory;
    const rlimit limit{64 << 20, 64 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const bool made = create_block_profile(directory / "profile", "test", 0).has_value();
    const rlimit none{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &none);
    const auto refused = create_block_profile(directory / "other", "test", 0);
    ::_exit(made && !refused && refused.error().remedy.find("ulimit") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

std::uint64_t stored_bytes(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

TEST(ProfileInMemory,
     counters_of_2000_live_threads_are_read_without_filling_the_holes_of_the_file) {
  constexpr std::uint32_t kThreads = 2000, kWindows = 20;
  constexpr std::size_t kFixed = sizeof(bops_profile_extent) + sizeof(bops_profile_counters);
  constexpr auto kCounters =
      static_cast<std::uint32_t>((BOPS_PROFILE_EXTENT_SIZE - kFixed) / sizeof(std::uint64_t));
  const std::filesystem::path directory = "/dev/shm/bops-test-" + std::to_string(::getpid());
  if (!std::filesystem::create_directory(directory)) GTEST_SKIP() << "there is no /dev/shm";
  const std::string path = directory / "profile";
  profile_writer writer{};
  ASSERT_TRUE(create_block_profile(path, "test", 0));
  ASSERT_TRUE(profile_writer_open(&writer, path.c_str()));
  profile_writer_start_process(&writer, 10, 1, "/bin/program", 12);
  const auto first = profile_writer_take_ids(&writer, kWindows * kCounters);
  constexpr std::uint64_t kBlock = std::uint64_t{kCounters} + 5000;  // in the second window
  auto* block = profile_writer_new_block(&writer, first + kBlock, 2, 4);
  block->data[0] = 3;
  block->data[1] = 1;
  std::copy(kAddRet.begin(), kAddRet.end(), block->data + 2);
  profile_record_publish(&block->record, BOPS_RECORD_BLOCK);
  for (std::uint32_t i = 0; i < kThreads; ++i) {
    const auto* thread = profile_writer_start_thread(&writer, static_cast<pid_t>(i + 11), "x");
    auto* extents = reinterpret_cast<std::byte*>(profile_writer_new_extents(&writer, kWindows));
    ASSERT_NE(extents, nullptr);
    for (std::uint32_t window = 0; window < kWindows; ++window) {
      auto* counters = reinterpret_cast<bops_profile_counters*>(
          extents + std::size_t{window} * BOPS_PROFILE_EXTENT_SIZE + sizeof(bops_profile_extent));
      counters->record.size = BOPS_PROFILE_EXTENT_SIZE - sizeof(bops_profile_extent);
      counters->thread = thread->index;
      counters->blocks = kCounters;
      counters->first_block = first + std::uint64_t{window} * kCounters;
      profile_record_publish(&counters->record, BOPS_RECORD_COUNTERS);
      if (window == 1) counters->counters[5000] = i + 1;
    }
  }
  const std::uint64_t before = stored_bytes(path);
  const auto mapping = FileMapping::open(path, FileMapping::Access::kReadOnly);
  const FileData data(path);
  const auto profile = read_block_profile(mapping->bytes(), &data);
  const std::uint64_t after = stored_bytes(path);
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->malformed, 0U);
  std::uint64_t sum = 0;
  for (const auto& execution : profile->executions) sum += execution.times;
  EXPECT_EQ(profile->executions.size(), kThreads);
  EXPECT_EQ(sum, std::uint64_t{kThreads} * (kThreads + 1) / 2);
  // All of it would be 2000 threads * 20 windows * 64 KiB.
  EXPECT_LT(before, std::uint64_t{1} << 30);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace bops::exact

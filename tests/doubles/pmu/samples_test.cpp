// The double's samples: a ring as perf_event_open(2) has it, read here without the collector.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "platform/unique_fd.hpp"
#include "tests/doubles/pmu/pmu_double.hpp"

namespace bops {
namespace {

constexpr std::uint64_t kInstructions = 0xc0, kLoads = 0x81d0;
constexpr std::uint64_t kLost = 1U << 4U;  // PERF_FORMAT_LOST
constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kAddress = 0x1234;
constexpr std::uint64_t kPeriod = 77;

const std::string kFour = PmuDouble::skylake_events();
const std::string kCounts = "thread * instructions=1000 loads=100\n";

perf_event_attr sampling(std::uint64_t config,
                         std::uint64_t fields = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_RAW;
  attributes.config = config;
  attributes.sample_period = kPeriod;
  attributes.sample_type = fields;
  attributes.read_format = kLost;
  attributes.exclude_kernel = 1;
  return attributes;
}

UniqueFd open_event(const perf_event_attr& attributes, int group = -1) {
  return UniqueFd(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, 0, -1, group, PERF_FLAG_FD_CLOEXEC)));
}

struct CountAndLost {
  std::uint64_t count = 0, lost = 0;
};

/// Reads the event, which brings the samples.
CountAndLost read_one(const UniqueFd& event) {
  CountAndLost got;
  EXPECT_EQ(::read(event.get(), &got, sizeof(got)), static_cast<ssize_t>(sizeof(got)));
  return got;
}

std::uint64_t number_of(const UniqueFd& event) {
  std::uint64_t id = 0;
  EXPECT_EQ(::ioctl(event.get(), PERF_EVENT_IOC_ID, &id), 0);
  return id;
}

struct Record {
  perf_event_header header{};
  std::vector<std::uint64_t> words;
};

class Ring {
 public:
  explicit Ring(const UniqueFd& event, std::size_t pages = 8)
      : bytes_((1 + pages) * kPage),
        memory_(::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, event.get(), 0)),
        error_(memory_ == MAP_FAILED ? errno : 0) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (error_ == 0) {
      EXPECT_EQ(::munmap(memory_, bytes_), 0);
    }
  }
  [[nodiscard]] int error() const { return error_; }
  /// All that has come, of these types.
  std::vector<Record> take(std::initializer_list<std::uint32_t> types) {
    auto* const control = static_cast<perf_event_mmap_page*>(memory_);
    const char* const data = static_cast<const char*>(memory_) + control->data_offset;
    std::vector<Record> records;
    std::uint64_t tail = control->data_tail;
    const auto byte_at = [&](std::uint64_t place) { return data[place % control->data_size]; };
    for (; tail < control->data_head;) {
      Record record;
      auto* const header = reinterpret_cast<char*>(&record.header);
      for (std::size_t i = 0; i < sizeof(record.header); ++i) header[i] = byte_at(tail + i);
      std::string rest;
      for (std::size_t i = sizeof(record.header); i < record.header.size; ++i)
        rest += byte_at(tail + i);
      record.words.resize(rest.size() / sizeof(std::uint64_t));
      std::memcpy(record.words.data(), rest.data(), record.words.size() * sizeof(std::uint64_t));
      tail += record.header.size;
      if (std::find(types.begin(), types.end(), record.header.type) != types.end())
        records.push_back(std::move(record));
    }
    control->data_tail = tail;
    return records;
  }

 private:
  std::size_t bytes_;
  void* memory_;
  int error_;
};

void work() {
  for (int left = 300'000; left != 0; --left) __asm__ volatile("");
}

TEST(PmuDoubleSamples, are_in_the_ring_with_the_fields_asked_for) {
  const PmuDouble pmu(kFour + kCounts + "sample * instructions=3 at - 0x1234\n");
  for (const auto& [fields, words] : std::initializer_list<std::pair<std::uint64_t, std::size_t>>{
           {PERF_SAMPLE_IP, 1},
           {PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP, 2},
           {PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME, 3},
           {PERF_SAMPLE_IP | PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |
                PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD,
            6}}) {
    const UniqueFd event = open_event(sampling(kInstructions, fields));
    ASSERT_TRUE(event) << std::strerror(errno);
    Ring ring(event);
    work();
    EXPECT_EQ(read_one(event).count, 1000U) << "counts are the rules', samples or not";
    const std::vector<Record> samples = ring.take({PERF_RECORD_SAMPLE});
    ASSERT_EQ(samples.size(), 3U);
    for (const Record& sample : samples) {
      ASSERT_EQ(sample.words.size(), words);
      const std::size_t ip = (fields & PERF_SAMPLE_IDENTIFIER) != 0 ? 1 : 0;
      EXPECT_EQ(sample.words[ip], kAddress);
      if (ip > 0) {
        EXPECT_EQ(sample.words[0], number_of(event));
      }
      if ((fields & PERF_SAMPLE_TID) != 0) {
        EXPECT_EQ(sample.words[1], static_cast<std::uint64_t>(::gettid()) << 32U |
                                       static_cast<std::uint32_t>(::getpid()));
      }
      if ((fields & PERF_SAMPLE_PERIOD) != 0) {
        EXPECT_EQ(sample.words[words - 1], kPeriod);
      }
    }
    (void)read_one(event);
    EXPECT_TRUE(ring.take({PERF_RECORD_SAMPLE}).empty()) << "each comes once";
  }
  EXPECT_EQ(pmu.rings_mapped(), 4U);
}

TEST(PmuDoubleSamples, of_a_group_come_where_their_output_is_set) {
  const PmuDouble pmu(kFour + kCounts + "sample * instructions=2 loads=5 at - 0x1234\n");
  for (const bool redirected : {false, true}) {
    const UniqueFd leader = open_event(sampling(kInstructions));
    const UniqueFd loads = open_event(sampling(kLoads), leader.get());
    ASSERT_TRUE(leader && loads) << std::strerror(errno);
    Ring ring(leader);
    if (redirected) {
      ASSERT_EQ(::ioctl(loads.get(), PERF_EVENT_IOC_SET_OUTPUT, leader.get()), 0);
    }
    work();
    (void)read_one(leader);
    std::size_t of_loads = 0;
    for (const Record& sample : ring.take({PERF_RECORD_SAMPLE}))
      of_loads += sample.words[0] == number_of(loads) ? 1 : 0;
    EXPECT_EQ(of_loads, redirected ? 5U : 0U);
  }
}

TEST(PmuDoubleSamples, without_room_are_lost_and_counted_and_told_before_the_next) {
  constexpr std::uint64_t kMany = 1000;  // of 24 bytes each; the ring has 4096
  PmuDouble pmu(kFour + kCounts + "sample * instructions=1000 at - 0x1234\n");
  const UniqueFd event = open_event(sampling(kInstructions));
  Ring ring(event, 1);
  work();
  const std::uint64_t lost = read_one(event).lost;
  const auto came = ring.take({PERF_RECORD_SAMPLE, PERF_RECORD_LOST});
  EXPECT_EQ(came.size() + lost, kMany);
  EXPECT_GT(lost, 0U);
  EXPECT_LE(came.size(), kPage / 24);
  pmu.change(kFour + kCounts + "lost * instructions=4\nsample * instructions=1 at - 0x99\n");
  EXPECT_EQ(read_one(event).lost, lost + 4);
  const auto later = ring.take({PERF_RECORD_SAMPLE, PERF_RECORD_LOST});
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later[0].header.type, static_cast<std::uint32_t>(PERF_RECORD_LOST));
  EXPECT_EQ(later[0].words, (std::vector<std::uint64_t>{number_of(event), lost + 4}));
  EXPECT_EQ(later[1].words[1], 0x99U);
}

TEST(PmuDoubleSamples, in_a_file_have_the_address_that_it_was_mapped_at) {
  unsigned long start = 0, end = 0, offset = 0;
  std::string path;
  std::ifstream maps("/proc/self/maps");
  const auto here = reinterpret_cast<unsigned long>(&work);
  for (std::string line; std::getline(maps, line);) {
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %lx", &start, &end, &offset) != 3) continue;
    if (here < start || here >= end) continue;
    path = line.substr(line.find('/'));
    break;
  }
  const PmuDouble pmu(kFour + kCounts + "sample * instructions=1 at " + path + " " +
                      std::to_string(here - start + offset) +
                      "\nsample * instructions=1 at /no/such/file 0\n");
  perf_event_attr attributes = sampling(kInstructions);
  attributes.mmap = attributes.mmap2 = 1;
  const UniqueFd event = open_event(attributes);
  Ring ring(event);
  work();
  (void)read_one(event);
  const auto samples = ring.take({PERF_RECORD_SAMPLE});
  ASSERT_EQ(samples.size(), 1U) << "where nothing is mapped nothing is executed";
  EXPECT_EQ(samples[0].words[1], here);
}

TEST(PmuDoubleSamples, the_kernels_records_of_mappings_are_in_the_same_ring) {
  const PmuDouble pmu(kFour + kCounts);
  perf_event_attr attributes = sampling(kInstructions);
  attributes.mmap = attributes.mmap2 = 1;
  const UniqueFd event = open_event(attributes);
  Ring ring(event);
  const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  void* const code = ::mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
  ASSERT_NE(code, MAP_FAILED);
  work();
  (void)read_one(event);
  const auto mappings = ring.take({PERF_RECORD_MMAP2});
  EXPECT_EQ(std::count_if(mappings.begin(), mappings.end(),
                          [code](const Record& record) {
                            return record.words.at(1) == reinterpret_cast<std::uint64_t>(code);
                          }),
            1);
  ::munmap(code, kPage);
}

TEST(PmuDoubleSamples, need_what_the_rules_have) {
  PmuDouble pmu(kFour + "rings 0\n");
  const UniqueFd event = open_event(sampling(kInstructions));
  EXPECT_EQ(Ring(event).error(), EPERM);
  pmu.change(kFour + "without lost build_id precise\n");
  EXPECT_FALSE(open_event(sampling(kInstructions)));
  EXPECT_EQ(errno, EINVAL);
  perf_event_attr attributes = sampling(kInstructions);
  attributes.read_format = 0;
  EXPECT_TRUE(open_event(attributes));
  attributes.precise_ip = 1;
  EXPECT_FALSE(open_event(attributes));
  EXPECT_EQ(errno, EOPNOTSUPP);
}

}  // namespace
}  // namespace bops

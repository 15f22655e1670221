#include "tests/doubles/pmu/thread_name.hpp"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "tests/doubles/pmu/kernel.hpp"

namespace bops::pmu_double {
namespace {

constexpr std::size_t kPage = 4096;

std::string name_now(pid_t tid) {
  std::ifstream file("/proc/" + std::to_string(tid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

ThreadName::ThreadName(pid_t tid) : tid_(tid), name_(name_now(tid)) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_DUMMY;
  attributes.comm = 1;
  attributes.exclude_kernel = 1;
  const long fd = kernel_call(SYS_perf_event_open, reinterpret_cast<long>(&attributes), tid, -1, -1,
                              PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) return;
  fd_ = static_cast<int>(fd);
  // Past the double, whose lock may be held.
  const long ring = kernel_call(SYS_mmap, 0, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (ring > 0) ring_ = reinterpret_cast<void*>(ring);
}

ThreadName::~ThreadName() {
  if (ring_ != nullptr) kernel_call(SYS_munmap, reinterpret_cast<long>(ring_), 2 * kPage);
  if (fd_ >= 0) ::close(fd_);
}

void ThreadName::take_records() {
  auto* page = static_cast<perf_event_mmap_page*>(ring_);
  const char* data = static_cast<const char*>(ring_) + kPage;
  const std::uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
  std::uint64_t tail = page->data_tail;
  while (tail < head) {
    // A record may lie across the end of the ring.
    std::array<char, kPage> record{};
    for (std::size_t index = 0; index < sizeof(perf_event_header); ++index)
      record[index] = data[(tail + index) % kPage];
    perf_event_header header{};
    std::memcpy(&header, record.data(), sizeof(header));
    if (header.size < sizeof(header)) break;
    for (std::size_t index = sizeof(header); index < header.size && index < kPage - 1; ++index)
      record[index] = data[(tail + index) % kPage];
    if (header.type == PERF_RECORD_COMM) {
      std::uint32_t tid = 0;  // after the process id
      std::memcpy(&tid, record.data() + sizeof(header) + 4, sizeof(tid));
      if (static_cast<pid_t>(tid) == tid_) name_ = record.data() + sizeof(header) + 8;
    }
    tail += header.size;
  }
  __atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
}

const std::string& ThreadName::last() {
  if (ring_ != nullptr) take_records();
  return name_;
}

}  // namespace bops::pmu_double

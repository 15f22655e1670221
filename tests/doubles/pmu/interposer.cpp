// The PMU double: hardware events on a machine that has none. A hardware event is opened as a
// software event that never counts (PERF_COUNT_SW_DUMMY) on the same thread, in the same group,
// with the same flags. So the kernel itself sees to permissions, threads that are gone, descriptors
// and their limits, groups, enabling at exec, times and death; only the values, the samples, and
// what a PMU would refuse besides, are ours.
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <mutex>

#include "tests/doubles/pmu/double.hpp"
#include "tests/doubles/pmu/kernel.hpp"

namespace bops::pmu_double {
namespace {

Double& the_double() {
  // Never destroyed: descriptors are read until the very end of the process.
  static Double* const instance = new Double;
  return *instance;
}

long read_through(int fd, void* buffer, std::size_t size) {
  if (rules_path() != nullptr)
    if (const auto given = the_double().read(fd, buffer, size)) return answer(*given);
  return answer(kernel_call(SYS_read, fd, reinterpret_cast<long>(buffer), static_cast<long>(size)));
}

void note_closing(int fd) {
  if (rules_path() != nullptr) the_double().closing(fd);
}

struct sigaction faults_before;

/// rdpmc faults where there is no PMU; here it is carried out.
void on_fault(int number, siginfo_t* /*info*/, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto* const code = reinterpret_cast<const unsigned char*>(registers[REG_RIP]);
  if (number == SIGSEGV && code[0] == 0x0f && code[1] == 0x33)
    if (const auto value =
            the_double().read_counter(static_cast<std::uint32_t>(registers[REG_RCX]))) {
      registers[REG_RAX] = static_cast<greg_t>(*value & 0xffffffffU);
      registers[REG_RDX] = static_cast<greg_t>(*value >> 32U);
      registers[REG_RIP] += 2;
      return;
    }
  ::sigaction(number, &faults_before, nullptr);  // and it faults once more
}

void catch_faults() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigaction(SIGSEGV, &action, &faults_before);
  });
}

long note_duplicate(long result) {
  if (result >= 0 && rules_path() != nullptr) the_double().duplicated(static_cast<int>(result));
  return result;
}

}  // namespace
}  // namespace bops::pmu_double

// --- The C library's functions that are taken the place of ---------------------------------------

#pragma GCC visibility push(default)
extern "C" {

long syscall(long number, ...) noexcept {
  using namespace bops::pmu_double;
  va_list list;
  va_start(list, number);
  std::array<long, 6> arguments{};
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  const auto& [a, b, c, d, e, f] = arguments;
  if (number == SYS_perf_event_open && rules_path() != nullptr)
    return answer(the_double().open(reinterpret_cast<const perf_event_attr*>(a),
                                    static_cast<pid_t>(b), static_cast<int>(c), static_cast<int>(d),
                                    static_cast<unsigned long>(e)));
  if (number == SYS_read)
    return read_through(static_cast<int>(a), reinterpret_cast<void*>(b),
                        static_cast<std::size_t>(c));
  return answer(kernel_call(number, a, b, c, d, e, f));
}

ssize_t read(int fd, void* buffer, std::size_t size) {
  return bops::pmu_double::read_through(fd, buffer, size);
}

// The C library's reading with a check of the buffer's size (_FORTIFY_SOURCE), as PAPI calls it.
ssize_t __read_chk(int fd, void* buffer, std::size_t size, std::size_t room) {
  if (size > room) std::abort();
  return bops::pmu_double::read_through(fd, buffer, size);
}

int close(int fd) {
  using namespace bops::pmu_double;
  note_closing(fd);
  return static_cast<int>(answer(kernel_call(SYS_close, fd)));
}

int dup(int fd) noexcept {
  using namespace bops::pmu_double;
  return static_cast<int>(answer(note_duplicate(kernel_call(SYS_dup, fd))));
}

int dup2(int fd, int wanted) noexcept {
  using namespace bops::pmu_double;
  if (fd != wanted) note_closing(wanted);
  const long result = kernel_call(SYS_dup2, fd, wanted);
  return static_cast<int>(answer(fd == wanted ? result : note_duplicate(result)));
}

int dup3(int fd, int wanted, int flags) noexcept {
  using namespace bops::pmu_double;
  if (fd != wanted) note_closing(wanted);
  return static_cast<int>(answer(note_duplicate(kernel_call(SYS_dup3, fd, wanted, flags))));
}

int fcntl(int fd, int command, ...) {
  using namespace bops::pmu_double;
  va_list list;
  va_start(list, command);
  const long argument = va_arg(list, long);
  va_end(list);
  const long result = kernel_call(SYS_fcntl, fd, command, argument);
  const bool duplicates = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
  return static_cast<int>(answer(duplicates ? note_duplicate(result) : result));
}

int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));

void* mmap(void* address, std::size_t size, int rights, int flags, int fd, off_t offset) noexcept {
  using namespace bops::pmu_double;
  if (fd >= 0 && offset == 0 && address == nullptr && rules_path() != nullptr)
    if (const auto mapped = the_double().map(fd, size, (rights & PROT_WRITE) != 0)) {
      if ((rights & PROT_WRITE) == 0) catch_faults();
      return reinterpret_cast<void*>(answer(*mapped));
    }
  return reinterpret_cast<void*>(
      answer(kernel_call(SYS_mmap, reinterpret_cast<long>(address), static_cast<long>(size), rights,
                         flags, fd, offset)));
}

void* mmap64(void* address, std::size_t size, int rights, int flags, int fd,
             off64_t offset) noexcept __attribute__((alias("mmap")));

int munmap(void* memory, std::size_t size) noexcept {
  using namespace bops::pmu_double;
  if (rules_path() != nullptr && the_double().unmap(memory, size)) return 0;
  return static_cast<int>(
      answer(kernel_call(SYS_munmap, reinterpret_cast<long>(memory), static_cast<long>(size))));
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  using namespace bops::pmu_double;
  va_list list;
  va_start(list, request);
  const long argument = va_arg(list, long);
  va_end(list);
  if (request == PERF_EVENT_IOC_RESET && rules_path() != nullptr)
    the_double().reset(fd, (argument & PERF_IOC_FLAG_GROUP) != 0);
  const long result = kernel_call(SYS_ioctl, fd, static_cast<long>(request), argument);
  if (request == PERF_EVENT_IOC_SET_OUTPUT && result == 0 && rules_path() != nullptr)
    the_double().set_output(fd, static_cast<int>(argument));
  return static_cast<int>(answer(result));
}

}  // extern "C"
#pragma GCC visibility pop

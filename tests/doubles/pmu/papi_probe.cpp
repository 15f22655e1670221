// For measuring what PAPI costs where there is no PMU (scripts/bench_counters): PAPI opens one
// hardware event to see whether there are any, and closes it. That one becomes a software event;
// all other calls go to the kernel as they are, and cost what they cost.
#include <dlfcn.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include <array>

#pragma GCC visibility push(default)
extern "C" long syscall(long number, ...) noexcept {
  using Syscall = long (*)(long, ...);
  static const auto next = reinterpret_cast<Syscall>(::dlsym(RTLD_NEXT, "syscall"));
  va_list list;
  va_start(list, number);
  std::array<long, 6> arguments{};
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  const auto& [a, b, c, d, e, f] = arguments;
  if (number == SYS_perf_event_open) {
    auto* const event = reinterpret_cast<perf_event_attr*>(a);
    if (event->type == PERF_TYPE_HARDWARE && event->config == PERF_COUNT_HW_INSTRUCTIONS) {
      event->type = PERF_TYPE_SOFTWARE;
      event->config = PERF_COUNT_SW_DUMMY;
    }
  }
  return next(number, a, b, c, d, e, f);
}
#pragma GCC visibility pop

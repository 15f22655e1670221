// Why perf_event_open(2) is refused on this machine, in a sentence and a remedy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/collector.hpp"
#include "model/error.hpp"

namespace bops::pmu {

/// What decides about hardware counters, as /proc and /sys tell it. Absent where they do not.
struct PerfObstacles {
  std::optional<int> paranoid;      ///< /proc/sys/kernel/perf_event_paranoid
  std::optional<int> seccomp_mode;  ///< of this process: 2 is a filter (proc(5), status)
  std::optional<int> nmi_watchdog;  ///< /proc/sys/kernel/nmi_watchdog: 1 takes a counter
  bool is_virtual = false;          ///< /proc/cpuinfo has the flag "hypervisor"
  bool is_container = false;        ///< of Docker, Podman or systemd, or in a cgroup of Kubernetes
  std::vector<std::string> core_pmus;  ///< cpu, cpu_core, ... in event_source/devices
  std::uint64_t open_files = 0;        ///< soft RLIMIT_NOFILE
  std::uint64_t most_open_files = 0;   ///< hard RLIMIT_NOFILE, which bops raises it to
  std::optional<int> yama_scope;       ///< /proc/sys/kernel/yama/ptrace_scope (Yama.rst of Linux)
  std::optional<int> tracer;           ///< who traces bops, and so its children; 0: nobody
};

/// `proc` and `sys` are where procfs and sysfs are mounted.
[[nodiscard]] PerfObstacles read_perf_obstacles(const std::string& proc = "/proc",
                                                const std::string& sys = "/sys");

/// What bounds counting on this machine, other than that there are no counters: permissions,
/// filters, tracing, descriptors, the NMI watchdog, several kinds of cores. `events` are the
/// descriptors that a thread takes; 0: unknown.
[[nodiscard]] std::vector<Limit> perf_limits(const PerfObstacles& obstacles, std::size_t events);

/// The Error for `error`, an errno of perf_event_open(2) for a hardware event of a thread.
[[nodiscard]] Error perf_error(int error, const PerfObstacles& obstacles, bool with_kernel);

}  // namespace bops::pmu

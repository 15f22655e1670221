#include "collectors/pmu/perf_access.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "platform/files.hpp"
#include "platform/procfs.hpp"

namespace bops::pmu {
namespace {

constexpr int kSeccompFilter = 2;

std::optional<int> number_in(const std::string& path) {
  const auto content = read_file_whole(path);
  if (!content) return std::nullopt;
  int number = 0;
  const auto [end, error] =
      std::from_chars(content->data(), content->data() + content->size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

/// Those that count for CPUs have a list of them; an uncore PMU has a mask.
std::vector<std::string> core_pmus_in(const std::string& devices) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(devices, error)) {
    const std::string name = entry.path().filename().string();
    if (name == "cpu" || exists(entry.path().string() + "/cpus")) found.push_back(name);
  }
  return found;
}

bool looks_like_container(const std::string& proc) {
  if (proc == "/proc" &&
      (exists("/.dockerenv") || exists("/run/.containerenv") || exists("/run/systemd/container")))
    return true;
  const auto cgroup = read_file_whole(proc + "/self/cgroup");
  return cgroup && (cgroup->find("docker") != std::string::npos ||
                    cgroup->find("kubepods") != std::string::npos ||
                    cgroup->find("libpod") != std::string::npos);
}

std::string with_value(const char* name, std::optional<int> value) {
  return std::string(name) + (value ? " is " + std::to_string(*value) : "");
}

Error no_such_event(int error, const PerfObstacles& obstacles) {
  const std::string call = std::string(" (perf_event_open: ") +
                           (error == ENOENT   ? "ENOENT"
                            : error == ENODEV ? "ENODEV"
                                              : "EOPNOTSUPP") +
                           ")";
  if (!obstacles.core_pmus.empty())
    return {"the kernel does not know an event of this CPU's table" + call,
            "count in software, and report the CPU: bops doctor --json", FailureKind::kRefused};
  if (obstacles.is_virtual)
    return {"this virtual machine exposes no CPU performance counters" + call,
            "use bare metal, or let the hypervisor expose them (KVM: -cpu host,pmu=on)",
            FailureKind::kRefused};
  return {"the kernel has no driver for this CPU's counters" + call,
          "look for \"PMU\" in dmesg: the firmware may keep the counters for itself",
          FailureKind::kRefused};
}

Error not_permitted(int error, const PerfObstacles& obstacles, bool with_kernel) {
  const char* capability =
      "give bops the capability: setcap cap_perfmon+ep BOPS (cap_sys_admin before Linux 5.8)";
  const std::string paranoid = with_value("kernel.perf_event_paranoid", obstacles.paranoid);
  if (error == EPERM && obstacles.seccomp_mode == kSeccompFilter)
    return {std::string("a seccomp filter forbids perf_event_open") +
                (obstacles.is_container ? ", as containers have it" : ""),
            "start the container with --cap-add PERFMON, or with a seccomp profile that allows it",
            FailureKind::kRefused};
  if (obstacles.paranoid.value_or(0) > 2)
    return {paranoid + ", which forbids hardware counters to ordinary users",
            "sysctl kernel.perf_event_paranoid=" + std::string(with_kernel ? "1" : "2") + ", or " +
                capability,
            FailureKind::kRefused};
  if (with_kernel && obstacles.paranoid.value_or(0) == 2)
    return {paranoid + ", which leaves the kernel's own instructions to administrators",
            "sysctl kernel.perf_event_paranoid=1, or " + std::string(capability) +
                ", or leave out --with-kernel",
            FailureKind::kRefused};
  return {"perf_event_open is not permitted for that thread (" +
              std::generic_category().message(error) + "; " + paranoid + ")",
          "run bops as the user of the process, or as root, or " + std::string(capability),
          FailureKind::kRefused};
}

}  // namespace

PerfObstacles read_perf_obstacles(const std::string& proc, const std::string& sys) {
  PerfObstacles obstacles;
  obstacles.paranoid = number_in(proc + "/sys/kernel/perf_event_paranoid");
  obstacles.nmi_watchdog = number_in(proc + "/sys/kernel/nmi_watchdog");
  if (const auto mode = read_status_number(proc + "/self/status", "Seccomp"))
    obstacles.seccomp_mode = static_cast<int>(*mode);
  if (const auto info = read_file_whole(proc + "/cpuinfo"))
    obstacles.is_virtual = info->find(" hypervisor") != std::string::npos;
  obstacles.is_container = looks_like_container(proc);
  obstacles.core_pmus = core_pmus_in(sys + "/bus/event_source/devices");
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    obstacles.open_files = limit.rlim_cur;
    obstacles.most_open_files = limit.rlim_max;
  }
  obstacles.yama_scope = number_in(proc + "/sys/kernel/yama/ptrace_scope");
  if (const auto tracer = read_status_number(proc + "/self/status", "TracerPid"))
    obstacles.tracer = static_cast<int>(*tracer);
  return obstacles;
}

std::vector<Limit> perf_limits(const PerfObstacles& obstacles, std::size_t events) {
  std::vector<Limit> limits;
  const int paranoid = obstacles.paranoid.value_or(-1);
  if (paranoid > 2)
    limits.push_back({"kernel.perf_event_paranoid is " + std::to_string(paranoid) +
                          ": ordinary users get no hardware counters",
                      "sysctl kernel.perf_event_paranoid=2, or setcap cap_perfmon+ep BOPS"});
  else if (paranoid == 2)
    limits.push_back({"kernel.perf_event_paranoid is 2: ordinary users cannot use --with-kernel",
                      "sysctl kernel.perf_event_paranoid=1, or setcap cap_perfmon+ep BOPS"});
  if (obstacles.seccomp_mode == kSeccompFilter)
    limits.push_back({std::string("a seccomp filter is around bops") +
                          (obstacles.is_container ? ", as containers have it" : "") +
                          ": it may forbid perf_event_open or ptrace",
                      "start the container with --cap-add PERFMON --cap-add SYS_PTRACE"});
  if (obstacles.tracer.value_or(0) != 0)
    limits.push_back({"process " + std::to_string(*obstacles.tracer) +
                          " traces bops: threads cannot be followed, and totals only are counted",
                      "run bops without a debugger around it"});
  if (const int scope = obstacles.yama_scope.value_or(0); scope == 3)
    limits.push_back(
        {"kernel.yama.ptrace_scope is 3: threads cannot be followed, and totals only "
         "are counted",
         "3 lasts until the next boot"});
  else if (scope > 0)
    limits.push_back({"kernel.yama.ptrace_scope is " + std::to_string(scope) +
                          ": ordinary users cannot bops attach",
                      "sysctl kernel.yama.ptrace_scope=0, or attach as root"});
  if (events > 0)
    limits.push_back({"at most " + std::to_string(obstacles.most_open_files / events) +
                          " threads at once can be counted (" +
                          std::to_string(obstacles.most_open_files) + " open files)",
                      "ulimit -Hn raises it"});
  if (obstacles.nmi_watchdog == 1)
    limits.push_back({"the NMI watchdog takes a counter", "sysctl kernel.nmi_watchdog=0"});
  if (obstacles.core_pmus.size() > 1)
    limits.push_back({"several kinds of cores: each thread takes counters of all of them", ""});
  return limits;
}

Error perf_error(int error, const PerfObstacles& obstacles, bool with_kernel) {
  switch (error) {
    case ENOENT:
    case EOPNOTSUPP:
    case ENODEV: return no_such_event(error, obstacles);
    case EACCES:
    case EPERM: return not_permitted(error, obstacles, with_kernel);
    case ENOSYS:
      return {"this kernel has no perf_event_open(2)",
              "use a kernel with CONFIG_PERF_EVENTS, or a sandbox that passes it on",
              FailureKind::kRefused};
    case EMFILE:
      return {"bops has as many files open as it may (" + std::to_string(obstacles.open_files) +
                  "), and each counted thread needs some",
              "raise the limit: ulimit -Hn " + std::to_string(obstacles.open_files * 4),
              FailureKind::kRefused};
    case ENFILE:
      return {"the system has as many files open as it may", "raise the limit: sysctl fs.file-max",
              FailureKind::kRefused};
    case EBUSY:
      return {"another user has the counters for itself",
              obstacles.nmi_watchdog.value_or(0) == 1
                  ? "end the other profiler, or sysctl kernel.nmi_watchdog=0"
                  : "end the other profiler",
              FailureKind::kRefused};
    default:
      return {"perf_event_open: " + std::generic_category().message(error),
              "count in software meanwhile (--collector native), and report what bops doctor "
              "--json says",
              FailureKind::kRefused};
  }
}

}  // namespace bops::pmu

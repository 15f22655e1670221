#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "collectors/pmu/event_table.hpp"
#include "platform/files.hpp"
#include "platform/host_identity.hpp"
#include "platform/unique_fd.hpp"

namespace bops::pmu {
namespace {

/// Asked of the calling thread, in user mode only, which needs the least permission. Refused for a
/// reason other than that there is no such event: there is one, and opening it to count says why.
bool kernel_counts(std::uint32_t type, std::uint64_t config) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = type;
  attributes.config = config;
  attributes.disabled = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  const UniqueFd event(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  return event || (errno != ENOENT && errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS);
}

}  // namespace

bool has_hyperthreading(const std::string& sysfs) {
  const std::string cpus = sysfs + "/devices/system/cpu";
  // Linux, Documentation/ABI/testing/sysfs-devices-system-cpu: "off" and "forceoff" leave the
  // hardware as it is, and with it the division of the counters.
  if (const auto control = read_file_whole(cpus + "/smt/control"))
    return control->starts_with("on") || control->starts_with("off") ||
           control->starts_with("forceoff");
  const auto siblings = read_file_whole(cpus + "/cpu0/topology/thread_siblings_list");
  return siblings && siblings->find_first_of(",-") != std::string::npos;
}

Machine this_machine() {
  Machine machine;
  machine.cpu = read_host_identity().cpu;
  machine.hyperthreading = has_hyperthreading(machine.sysfs);
  machine.kernel_counts = kernel_counts;
  return machine;
}

}  // namespace bops::pmu

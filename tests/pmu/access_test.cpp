// Why counters and tracing are refused: read from the machine, or from a tree made up like one; and
// by filters that refuse for real.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>

#include "../platform/temporary_directory.hpp"
#include "collectors/pmu/perf_access.hpp"
#include "counted_run.hpp"
#include "launch/trace_error.hpp"

namespace bops::pmu {
namespace {

/// A /proc and a /sys of other machines.
class Machine : public ::testing::Test {
 protected:
  void put(const std::string& path, const std::string& content) const {
    const std::filesystem::path file(directory_ / path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  [[nodiscard]] Error perf(int error, bool with_kernel = false) const {
    return perf_error(error, read_perf_obstacles(directory_ / "proc", directory_ / "sys"),
                      with_kernel);
  }
  [[nodiscard]] std::vector<Limit> limits() const {
    return perf_limits(read_perf_obstacles(directory_ / "proc", directory_ / "sys"), 4);
  }
  [[nodiscard]] Error trace(int error) const {
    return trace_error(77, error, read_trace_obstacles(77, directory_ / "proc"));
  }

 private:
  TemporaryDirectory directory_;
};

void expect_words(const Error& error, const std::string& message, const std::string& remedy) {
  EXPECT_NE(error.message.find(message), std::string::npos) << error.message;
  EXPECT_NE(error.remedy.find(remedy), std::string::npos) << error.remedy;
  EXPECT_EQ(error.kind, FailureKind::kRefused);
}

TEST_F(Machine, that_is_virtual_hides_its_counters) {
  put("proc/cpuinfo", "flags\t: fpu vme hypervisor lahf_lm\n");
  expect_words(perf(ENOENT), "virtual machine exposes no CPU performance counters", "pmu=on");
}

TEST_F(Machine, that_is_real_may_lack_the_driver) {
  put("proc/cpuinfo", "flags\t: fpu vme lahf_lm\n");
  expect_words(perf(ENOENT), "no driver", "dmesg");
}

TEST_F(Machine, with_counters_may_lack_one_event) {
  put("proc/cpuinfo", "flags\t: fpu hypervisor\n");
  put("sys/bus/event_source/devices/cpu_core/cpus", "0-7\n");
  put("sys/bus/event_source/devices/uncore_imc/cpumask", "0\n");
  expect_words(perf(ENOENT), "does not know an event", "");
}

TEST_F(Machine, whose_paranoia_is_4_forbids_all) {
  put("proc/sys/kernel/perf_event_paranoid", "4\n");
  expect_words(perf(EACCES), "kernel.perf_event_paranoid is 4",
               "sysctl kernel.perf_event_paranoid=2");
  expect_words(perf(EPERM, true), "is 4", "sysctl kernel.perf_event_paranoid=1");
  expect_words(perf(EACCES), "is 4", "cap_perfmon");
}

TEST_F(Machine, whose_paranoia_is_2_keeps_the_kernels_part) {
  put("proc/sys/kernel/perf_event_paranoid", "2\n");
  expect_words(perf(EACCES, true), "kernel's own instructions", "leave out --with-kernel");
  expect_words(perf(EACCES), "not permitted for that thread", "user of the process");
}

TEST_F(Machine, in_a_container_has_a_filter) {
  put("proc/sys/kernel/perf_event_paranoid", "2\n");
  put("proc/self/status", "Name:\tbops\nSeccomp:\t2\n");
  put("proc/self/cgroup", "0::/docker/0123456789ab\n");
  expect_words(perf(EPERM), "a seccomp filter forbids perf_event_open, as containers",
               "--cap-add PERFMON");
}

TEST_F(Machine, whose_watchdog_takes_a_counter_is_told_to_stop_it) {
  put("proc/sys/kernel/nmi_watchdog", "1\n");
  expect_words(perf(EBUSY), "another user", "kernel.nmi_watchdog=0");
}

TEST_F(Machine, with_yama_3_lets_nobody_trace) {
  put("proc/sys/kernel/yama/ptrace_scope", "3\n");
  put("proc/77/status", "Name:\tx\nTracerPid:\t0\nUid:\t0\t0\t0\t0\n");
  expect_words(trace(EPERM), "ptrace_scope is 3", "--no-ptrace");
}

TEST_F(Machine, where_another_process_traces_names_it) {
  put("proc/77/status", "Name:\tx\nTracerPid:\t4711\nUid:\t0\t0\t0\t0\n");
  expect_words(trace(EPERM), "process 4711 traces it already", "--no-ptrace");
}

TEST_F(Machine, where_a_filter_forbids_tracing_says_so) {
  put("proc/77/status", "Name:\tx\nTracerPid:\t0\n");
  put("proc/self/status", "Name:\tbops\nSeccomp:\t2\n");
  expect_words(trace(EPERM), "seccomp filter around bops forbids ptrace", "--cap-add SYS_PTRACE");
}

TEST_F(Machine, without_the_process_says_so) {
  expect_words(trace(ESRCH), "there is no such process", "id");
}

TEST_F(Machine, has_its_limits_told_with_remedies) {
  put("proc/sys/kernel/perf_event_paranoid", "4\n");
  put("proc/sys/kernel/nmi_watchdog", "1\n");
  put("proc/sys/kernel/yama/ptrace_scope", "3\n");
  put("proc/self/status", "Name:\tbops\nTracerPid:\t12\nSeccomp:\t2\n");
  put("sys/bus/event_source/devices/cpu_core/cpus", "0-7\n");
  put("sys/bus/event_source/devices/cpu_atom/cpus", "8-15\n");
  const std::vector<Limit> limits = this->limits();
  for (const char* words :
       {"perf_event_paranoid is 4", "seccomp filter", "process 12 traces bops", "ptrace_scope is 3",
        "NMI watchdog", "threads at once", "several kinds of cores"})
    EXPECT_TRUE(std::any_of(limits.begin(), limits.end(), [words](const Limit& limit) {
      return limit.message.find(words) != std::string::npos;
    })) << words;
  EXPECT_EQ(limits.size(), 7U);
}

TEST_F(Machine, without_limits_has_only_that_of_descriptors) {
  put("proc/sys/kernel/perf_event_paranoid", "-1\n");
  EXPECT_EQ(limits().size(), 1U);
}

/// From now on, this process gets EPERM from one system call.
bool forbid(unsigned call) {
  constexpr unsigned kNumber = offsetof(seccomp_data, nr);
  std::array filter{
      sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, kNumber},
      sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// Whether `holds` is true in a child that got EPERM from `call`.
bool holds_without(unsigned call, bool (*holds)()) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(forbid(call) && holds() ? 0 : 1);
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

TEST(SeccompFilter, that_forbids_perf_event_open_is_named) {
  EXPECT_TRUE(holds_without(SYS_perf_event_open, [] {
    const Probe probe = HardwareCollector("perf", Division::kPerf, software_events()).probe();
    return !probe.usable && probe.reason.find("seccomp") != std::string::npos &&
           probe.remedy.find("--cap-add PERFMON") != std::string::npos;
  }));
}

TEST(SeccompFilter, that_forbids_ptrace_leaves_totals) {
  EXPECT_TRUE(holds_without(SYS_ptrace, [] {
    const CountedRun run = count_faults({program("touch_pages"), "10", "100"});
    const auto warned = [&run](const char* code) {
      return std::any_of(run.counts.warnings.begin(), run.counts.warnings.end(),
                         [code](const Warning& warning) { return warning.code == code; });
    };
    return !run.refused && run.end.exit.code == 0 && run.counts.threads.size() == 1 &&
           run.counts.totals().instructions.total > 5500 && warned("following_refused") &&
           warned("threads_not_followed");
  }));
}

}  // namespace
}  // namespace bops::pmu

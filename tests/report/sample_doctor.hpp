#pragma once

#include "report/doctor.hpp"

namespace bops::samples {

/// A machine without a usable PMU, where native runs.
[[nodiscard]] inline DoctorReport doctor_report() {
  DoctorReport report;
  report.tool_version = "0.1.0";
  report.host = {"box",
                 "Linux 6.1.0-18-amd64 x86_64",
                 {"AuthenticAMD", 25, 1, 1, "AMD EPYC 7763 64-Core Processor"}};
  report.collectors = {
      {{"pmu", "hardware counters", "retired_instructions", "user", "kernel", "native"},
       {false, "the kernel forbids it (perf_event_paranoid is 4)",
        "sysctl kernel.perf_event_paranoid=1"},
       false},
      {{"native", "binary translation", "retired_instructions", "user", "in_target", "emulated"},
       {true, "", ""},
       true},
      {{"qemu", "QEMU user-mode emulation", "retired_instructions", "user", "in_target",
        "emulated"},
       {true, "a program that needs AVX-512 cannot run", ""},
       false}};
  return report;
}

}  // namespace bops::samples

// Hand-made records whose numbers can be checked by eye, for the tests of all formats.
#pragma once

#include "model/run_record.hpp"

namespace bops::samples {

/// An exact run of two processes (one not counted) and three threads; sums agree.
[[nodiscard]] RunRecord decoded_run();

/// The same command under hardware counters: no decoded parts, a rate, cycles, a signal.
[[nodiscard]] RunRecord hardware_run();

/// Nothing was counted, nothing else is known.
[[nodiscard]] RunRecord missing_run();

/// Names with control characters, invalid UTF-8 and every format's special characters; counts at
/// the limits of their types.
[[nodiscard]] RunRecord hostile_run();

/// Exact on the CPU, one GPU profiled with two kernels and a region, the profiler's image apart.
[[nodiscard]] RunRecord gpu_run();

/// The sets of a chip.
[[nodiscard]] GpuChipReport chip_report();

[[nodiscard]] IntervalRecord interval();

}  // namespace bops::samples

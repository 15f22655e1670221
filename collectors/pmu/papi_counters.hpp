// Counters of threads through PAPI.
#pragma once

#include <vector>

#include "collectors/pmu/event_table.hpp"
#include "collectors/pmu/thread_counters.hpp"

namespace bops::pmu {

/// Whether this build has PAPI and it works here: its version ("7.0.0"), or why not.
[[nodiscard]] Result<std::string> papi_version();

/// Counters of single threads, attached to by PAPI, with the event codes of the set; each on one
/// EventSet, which later threads use again. At most one may live: it owns PAPI's global state.
///
/// What PAPI cannot do is refused: sets of several groups, hybrid CPUs. PAPI does not tell whether
/// counters were scheduled; a thread all of whose counts are 0 is taken as never scheduled. Before
/// PAPI 7.1 a thread that runs cannot be read (rdpmc on the wrong CPU).
[[nodiscard]] Result<std::unique_ptr<ThreadCounters>> make_papi_counters(
    const std::vector<EventSet>& sets, bool with_kernel);

/// Whether the running PAPI is one that reads threads while they run as it should: 7.1 and later.
/// Of earlier ones only the way is used that PAPI falls back on itself, for snapshots that are of
/// use if bops is killed.
[[nodiscard]] bool papi_reads_running_threads();

}  // namespace bops::pmu

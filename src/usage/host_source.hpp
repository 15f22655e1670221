// What a source is made of: the host, its boot, the run.
#pragma once

#include <string>

namespace bops {

/// systemd's machine id, or "host-" and the host's name where there is none.
[[nodiscard]] std::string host_id();

/// "/bops/HOST-ID/": what all sources of this host start with.
[[nodiscard]] std::string host_source();

/// A source of its own for a run: "/bops/HOST-ID/BOOT-ID/UUID".
[[nodiscard]] std::string new_run_source();

}  // namespace bops

#include "session/run_description.hpp"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "model/version.hpp"
#include "platform/clock.hpp"
#include "platform/host_identity.hpp"
#include "platform/procfs.hpp"

namespace bops {

RunRecord describe_run(std::optional<std::vector<std::string>> command,
                       std::map<std::string, std::string> labels, const Collector* collector) {
  RunRecord record;
  record.tool_version = kVersion;
  record.command = std::move(command);
  record.started = rfc3339_utc(std::chrono::system_clock::now());
  record.host = read_host_identity();
  record.labels = std::move(labels);
  if (collector != nullptr) {
    record.collectors.push_back(collector->info());
    record.time_is_the_targets = collector->info().slowdown_class == "native";
  }
  return record;
}

RunRecord so_far(RunRecord record, RunCounts counts, std::uint64_t wall_ns) {
  record.wall_ns = wall_ns;
  record.counts = std::move(counts);
  record.cycles = record.counts.cycles;
  return record;
}

RunManifest manifest_of(const RunRecord& record, const Collector* gpus,
                        const RunDirectory& directory) {
  RunManifest manifest;
  manifest.started = record.started;
  manifest.start_mono_ns = directory.start_mono_ns;
  manifest.collector = record.collectors.empty() ? "" : record.collectors.front().name;
  if (gpus != nullptr) manifest.gpu_collector = gpus->info().name;
  manifest.command = record.command;
  manifest.labels = record.labels;
  manifest.bops_pid = ::getpid();
  if (const auto stat = read_process_stat(::getpid()))
    manifest.bops_start_ticks = stat->start_ticks;
  return manifest;
}

}  // namespace bops

#include "session/usage_state.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "platform/files.hpp"

namespace bops {
namespace {

std::string path_in(const std::string& directory_path) {
  return directory_path + "/usage.json";
}

struct OpenUsage {
  std::string target;
  std::unique_ptr<UsageMeter> meter;  ///< null if there are no records, or they are complete
};

Result<OpenUsage> reopen(const std::string& directory_path) {
  const std::string path = path_in(directory_path);
  if (::access(path.c_str(), F_OK) != 0) return OpenUsage{};
  const auto text = read_file_whole(path);
  if (!text) return tl::unexpected(text.error());
  const auto state = nlohmann::json::parse(*text, nullptr, false);
  if (!state.is_object()) return failure(path + " is damaged");
  auto meter = UsageMeter::reopen(state);
  if (!meter) return tl::unexpected(meter.error());
  return OpenUsage{state.value("target", ""), *std::move(meter)};
}

}  // namespace

Result<void> keep_usage_state(const std::string& directory_path, const UsageMeter& usage) {
  const std::string path = path_in(directory_path), fresh = path + ".new";
  // In the place of the one before: there is a whole one at any time.
  if (auto written = write_file_whole(fresh, usage.state().dump(), 0600); !written) return written;
  if (std::rename(fresh.c_str(), path.c_str()) != 0)
    return failure("cannot write " + path + ": " + std::strerror(errno));
  return {};
}

Result<std::optional<RecoveredUsage>> recover_usage(const std::string& directory_path,
                                                    const RunManifest& manifest,
                                                    const RunRecord& record) {
  const auto usage = reopen(directory_path);
  if (!usage) return tl::unexpected(usage.error());
  if (usage->meter == nullptr) return std::nullopt;
  RecoveredUsage recovered{usage->target, usage->meter->open_since(), 0};
  std::optional<std::uint64_t> cpu_ns;
  if (record.resource_usage)
    cpu_ns = record.resource_usage->user_cpu_ns + record.resource_usage->system_cpu_ns;
  const auto records =
      usage->meter->recover(record.counts, manifest.start_mono_ns + record.wall_ns, cpu_ns);
  if (!records) return tl::unexpected(records.error());
  recovered.records = *records;
  return std::optional<RecoveredUsage>(std::move(recovered));
}

Result<std::optional<UtcNs>> usage_open_since(const std::string& directory_path) {
  const auto usage = reopen(directory_path);
  if (!usage) return tl::unexpected(usage.error());
  if (usage->meter == nullptr) return std::nullopt;
  return std::optional<UtcNs>(usage->meter->open_since());
}

}  // namespace bops

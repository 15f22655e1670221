// A usage record: one CloudEvents 1.0 event of type bops.usage.v1 or bops.usage.reversal.v1, one
// meter, one interval. Never changed once it is written. The fields are those of the usage contract
// (src/usage/README.md).
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "model/error.hpp"
#include "usage/utc_time.hpp"

namespace bops {

/// How a quantity was found.
enum class UsageMethod : std::uint8_t { kHwExact, kHwScaled, kDeviceProfiler, kCounted, kModel };
/// Whether the metered program could have written the counts.
enum class UsageIntegrity : std::uint8_t { kKernel, kInTarget, kExternal };
/// Who says which tenant it was. What the job itself declares is not evidence.
enum class TenantSource : std::uint8_t { kHost, kCgroup, kSlurm, kDeclared };

[[nodiscard]] std::string_view to_string(UsageMethod method);        ///< "hw_exact", ...
[[nodiscard]] std::string_view to_string(UsageIntegrity integrity);  ///< "kernel", ...
[[nodiscard]] std::string_view to_string(TenantSource source);       ///< "host", ...

/// What identifies a record: the same key with the same bytes is the same record.
struct UsageKey {
  std::string source;  ///< "/bops/<host id>/<boot id>/<run uuid>"
  std::string id;      ///< the sequence number of the record in its source
  // clang-tidy 14 takes the comparison with 0 in a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const UsageKey&, const UsageKey&) = default;
};

/// A file that the numbers depend on, so that a dispute can be recounted.
struct UsageDependency {
  std::string name;
  std::string sha256;  ///< 64 lower-case hexadecimal digits
  friend bool operator==(const UsageDependency&, const UsageDependency&) = default;
};

inline constexpr std::uint64_t kMaxQuantity = std::uint64_t{1} << 62U;
inline constexpr std::size_t kMaxSourceSize = 200;  ///< bytes
inline constexpr std::size_t kMaxIdSize = 64;       ///< bytes
/// A longer line is refused before it is parsed, bytes.
inline constexpr std::size_t kMaxLineSize = std::size_t{64} << 10U;
inline constexpr std::int64_t kPpm = 1'000'000;

struct UsageRecord {
  UsageKey key;
  std::string subject;         ///< the tenant
  std::string meter;           ///< see is_known_meter()
  std::string unit;            ///< of `quantity`: "operations", "ns", "tokens", ...
  std::int64_t def = 1;        ///< version of the meter's definition
  std::uint64_t quantity = 0;  ///< 0 ... kMaxQuantity
  UtcNs start =
      0;  ///< half-open [start, end), within one UTC hour; the event's `time` is the start
  UtcNs end = 0;
  std::uint64_t mono_ns = 0;  ///< length of the interval by the monotonic clock
  UsageMethod method = UsageMethod::kModel;
  std::int64_t coverage_ppm = 0;  ///< time running / time enabled, 0 ... kPpm
  /// Relative error bound (k = 2) of counting the meter as it is defined; absent: unknown, and so
  /// not billable by default.
  std::optional<std::int64_t> rel_err_ppm;
  UsageIntegrity integrity = UsageIntegrity::kInTarget;
  std::optional<UsageDependency> event_table;
  std::optional<UsageDependency> calibration;
  TenantSource tenant_source = TenantSource::kDeclared;
  /// OpenTelemetry names: host.id, process.pid, slurm.job_id, ... A JSON object.
  nlohmann::json resource = nlohmann::json::object();
  /// model, service, precision, target accuracy, processing rate, labels, ... A JSON object.
  nlohmann::json attrs = nlohmann::json::object();
  /// Place in the chain of its source, gapless from 0. Absent only in a reversal that is in none.
  std::optional<std::uint64_t> seq;
  std::string
      prev;  ///< SHA-256 of the line before in hex; 64 zeros for the first; empty without seq
  std::optional<UsageKey> reverses;  ///< present: a reversal, which voids that record
  /// When a ledger received it, where the event says so ("received", an extension attribute).
  std::optional<UtcNs> received;

  [[nodiscard]] bool is_reversal() const { return reverses.has_value(); }
};

/// bops_formula, bops_decoded, instructions, cpu_time, images, requests, tokens and kinds of tokens
/// (tokens_input, ...), gpu_... and work_... (a unit of work of the user's own).
[[nodiscard]] bool is_known_meter(std::string_view meter);

/// The record of one line (without its newline), whose every field is checked. The message of a
/// failure is one sentence that names the field; the caller knows the line number.
[[nodiscard]] Result<UsageRecord> parse_usage_line(std::string_view line);

/// Whether the record can be written: the same checks as of a line that is read.
[[nodiscard]] Result<void> check_usage_record(const UsageRecord& record);

/// The record as its canonical line, without a newline: fields in the order of the contract, keys
/// of objects sorted, no spaces, times with nine decimals. The record must pass
/// check_usage_record().
[[nodiscard]] std::string usage_line(const UsageRecord& record);

/// Whether all is lower-case hexadecimal digits, 64 of them.
[[nodiscard]] bool is_sha256_hex(std::string_view text);

}  // namespace bops

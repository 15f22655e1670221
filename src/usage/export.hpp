// The records of a ledger in other programs' formats.
#pragma once

#include <functional>
#include <string>

#include "usage/ledger.hpp"

namespace bops {

using TextWriter = std::function<Result<void>(const std::string& text)>;

/// The exact lines.
[[nodiscard]] Result<void> export_jsonl(Ledger& ledger, const TextWriter& write);
/// A row for each record (RFC 4180), with when it was received and whether its key is disputed.
[[nodiscard]] Result<void> export_csv(Ledger& ledger, const TextWriter& write);
/// Totals by tenant, model and meter: bops_operations_total{kind="formula"},
/// bops_instructions_total, bops_cpu_seconds_total, bops_work_total{unit="tokens"}, ...; the
/// classic text format that node-exporter reads from a file, or OpenMetrics.
[[nodiscard]] Result<void> export_metrics(Ledger& ledger, bool openmetrics,
                                          const TextWriter& write);

}  // namespace bops

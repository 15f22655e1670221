#include "usage/export.hpp"

#include "usage/summary.hpp"

namespace bops {
namespace {

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return "\"" + with_all_replaced(text, "\"", "\"\"") + "\"";
}

std::string csv_row(const std::vector<std::string>& fields) {
  std::string row;
  for (const std::string& field : fields) row += (row.empty() ? "" : ",") + csv_field(field);
  return row + "\r\n";
}

std::string label_value(std::string text) {
  text = with_all_replaced(std::move(text), "\\", "\\\\");
  text = with_all_replaced(std::move(text), "\"", "\\\"");
  return with_all_replaced(std::move(text), "\n", "\\n");
}

struct Metric {
  std::string family;  ///< without _total
  std::string label;   ///< of the meter, "kind=\"formula\","; or empty
  std::string help;
};

Metric metric_of(const std::string& meter) {
  if (meter == "bops_formula" || meter == "bops_decoded")
    return {"bops_operations", "kind=\"" + meter.substr(5) + "\",", "Basic operations executed."};
  if (meter == "instructions") return {"bops_instructions", "", "Instructions executed."};
  if (meter == "cpu_time") return {"bops_cpu_seconds", "", "CPU time used."};
  if (meter == "gpu_time") return {"bops_gpu_seconds", "", "Time that kernels ran on GPUs."};
  for (const std::string level : {"warp", "thread"}) {
    if (meter == "gpu_" + level + "_bops_formula")
      return {"bops_gpu_operations", "kind=\"formula\",level=\"" + level + "\",",
              "Basic operations executed on GPUs."};
    if (meter == "gpu_" + level + "_instructions")
      return {"bops_gpu_instructions", "level=\"" + level + "\",",
              "Instructions executed on GPUs."};
  }
  if (meter.starts_with("gpu_")) return {"bops_" + meter, "", "GPU meter."};
  return {"bops_work", "unit=\"" + label_value(meter) + "\",", "Units of work done."};
}

/// Nanoseconds as seconds, to the digit.
std::string seconds_of(WideSum nanoseconds) {
  std::string digits = to_decimal(nanoseconds);
  if (digits.size() < 10) digits.insert(0, 10 - digits.size(), '0');
  return digits.substr(0, digits.size() - 9) + "." + digits.substr(digits.size() - 9);
}

}  // namespace

Result<void> export_jsonl(Ledger& ledger, const TextWriter& write) {
  return ledger.for_each([&](const StoredRecord& stored) { return write(stored.line + "\n"); });
}

Result<void> export_csv(Ledger& ledger, const TextWriter& write) {
  if (auto head = write(
          csv_row({"source",       "id",          "type",      "subject",       "meter",   "unit",
                   "def",          "quantity",    "start",     "end",           "mono_ns", "method",
                   "coverage_ppm", "rel_err_ppm", "integrity", "tenant_source", "model",   "job",
                   "rank",         "received",    "disputed",  "rejected"}));
      !head)
    return head;
  return ledger.for_each([&](const StoredRecord& stored) -> Result<void> {
    const auto record = parse_usage_line(stored.line);
    if (!record) return tl::unexpected(record.error());
    const UsageRecord& r = *record;
    return write(csv_row({r.key.source,
                          r.key.id,
                          r.is_reversal() ? "reversal" : "usage",
                          r.subject,
                          r.meter,
                          r.unit,
                          std::to_string(r.def),
                          std::to_string(r.quantity),
                          format_utc(r.start),
                          format_utc(r.end),
                          std::to_string(r.mono_ns),
                          std::string(to_string(r.method)),
                          std::to_string(r.coverage_ppm),
                          r.rel_err_ppm ? std::to_string(*r.rel_err_ppm) : "",
                          std::string(to_string(r.integrity)),
                          std::string(to_string(r.tenant_source)),
                          text_of_field(r.attrs, "model"),
                          text_of_field(r.resource, "job.id"),
                          text_of_field(r.resource, "mpi.rank"),
                          format_utc(stored.received),
                          stored.disputed ? "true" : "false",
                          stored.rejected ? "true" : "false"}));
  });
}

Result<void> export_metrics(Ledger& ledger, bool openmetrics, const TextWriter& write) {
  const auto summary = summarise_records(ledger, {false, true, false, false});
  if (!summary) return tl::unexpected(summary.error());
  struct Family {
    std::string help;
    std::map<std::string, std::string> samples;  ///< by labels
  };
  std::map<std::string, Family> families;
  std::map<std::string, WideSum> sums;  // meters of several units are one
  for (const auto& [key, sum] : summary->sums) {
    const Metric metric = metric_of(key.meter);
    std::string labels = metric.label;
    labels.append("tenant=\"").append(label_value(key.subject));
    labels.append("\",model=\"").append(label_value(key.model)).append("\"");
    const WideSum whole = sums[metric.family + labels] += sum;
    Family& family = families[metric.family];
    family.help = metric.help;
    family.samples[labels] =
        key.meter == "cpu_time" || key.meter == "gpu_time" ? seconds_of(whole) : to_decimal(whole);
  }
  std::string text;
  for (const auto& [name, family] : families) {
    const std::string total = name + "_total";
    text += "# HELP " + (openmetrics ? name : total) + " " + family.help + "\n";
    text += "# TYPE " + (openmetrics ? name : total) + " counter\n";
    for (const auto& [labels, value] : family.samples)
      text.append(total).append("{").append(labels).append("} ").append(value).append("\n");
  }
  if (openmetrics) text += "# EOF\n";
  return write(text);
}

}  // namespace bops

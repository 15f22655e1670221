#include "tests/usage/sample_usage.hpp"

namespace bops::samples {

UsageRecord usage_record() {
  UsageRecord record;
  record.key = {"/bops/3f2a/77b1/0b9d8e5c-0000-4000-8000-000000000001", "0"};
  record.subject = "acme";
  record.meter = "bops_formula";
  record.unit = "operations";
  record.quantity = 1000;
  record.start = *parse_utc("2026-11-22T19:00:00Z");
  record.end = record.start + 60 * kNsPerSecond;
  record.mono_ns = 60'000'000'017;
  record.method = UsageMethod::kCounted;
  record.coverage_ppm = kPpm;
  record.rel_err_ppm = 0;
  record.integrity = UsageIntegrity::kInTarget;
  record.tenant_source = TenantSource::kDeclared;
  record.resource = {{"host.id", "3f2a"}, {"process.pid", 4711}};
  record.attrs = {{"model", "resnet50"}};
  record.seq = 0;
  record.prev = std::string(64, '0');
  return record;
}

nlohmann::ordered_json usage_json() {
  return nlohmann::ordered_json::parse(usage_line(usage_record()));
}

std::vector<UsageRecord> usage_chain(std::size_t count, const std::string& source) {
  std::vector<UsageRecord> records;
  for (std::size_t i = 0; i < count; ++i) {
    UsageRecord record = usage_record();
    record.key = {source, std::to_string(i)};
    record.quantity += i;
    record.start += static_cast<std::int64_t>(i) * kNsPerSecond;
    record.end = record.start + kNsPerSecond;
    record.mono_ns = static_cast<std::uint64_t>(kNsPerSecond);
    record.seq = i;
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace bops::samples

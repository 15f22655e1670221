#include "usage/usage_record.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "usage/record_json.hpp"

namespace bops {
namespace {

using Json = nlohmann::json;

constexpr const char* kType = "bops.usage.v1";
constexpr const char* kReversalType = "bops.usage.reversal.v1";

// In the order of the enumerations.
constexpr std::array<std::string_view, 5> kMethods{"hw_exact", "hw_scaled", "device_profiler",
                                                   "counted", "model"};
constexpr std::array<std::string_view, 3> kIntegrities{"kernel", "in_target", "external"};
constexpr std::array<std::string_view, 4> kTenantSources{"host", "cgroup", "slurm", "declared"};

bool is_name_end(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// RFC 3986 characters of a URI reference, escapes not looked into.
bool is_uri_character(char c) {
  const bool alphanumeric =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || (c != '\0' && std::string_view("-._~:/?#[]@!$&'()*+,;=%").find(c) !=
                                           std::string_view::npos);
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

Result<void> check_key(const UsageKey& key, const std::string& where) {
  if (key.source.empty() || key.source.size() > kMaxSourceSize ||
      !std::all_of(key.source.begin(), key.source.end(), is_uri_character))
    return failure(where + "source is not a URI reference of 1 to 200 characters");
  if (key.id.empty() || key.id.size() > kMaxIdSize || has_control_characters(key.id))
    return failure(where + "id is not a text of 1 to 64 characters");
  return {};
}

/// Decimal digits without a sign or leading zeros.
Result<std::uint64_t> quantity_of(const std::string& text) {
  if (!text.empty() && text.front() == '-') return failure("data.quantity is negative: " + text);
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || (text.size() > 1 && text.front() == '0'))
    return failure("data.quantity is not a decimal integer: \"" + text.substr(0, 64) + "\"");
  if (text.size() > 19 || std::stoull(text) > kMaxQuantity)
    return failure("data.quantity is over 2^62: " + text.substr(0, 64));
  return std::stoull(text);
}

template <class T>
Result<T> enumerator(const FieldReader& data, const char* name,
                     std::span<const std::string_view> names) {
  const auto text = data.string(name);
  if (!text) return tl::unexpected(text.error());
  const auto found = std::find(names.begin(), names.end(), *text);
  if (found != names.end()) return static_cast<T>(found - names.begin());
  std::string known;
  for (const std::string_view each : names)
    known += (known.empty() ? "" : ", ") + std::string(each);
  return failure("data." + std::string(name) + " is \"" + text->substr(0, 64) + "\", not one of " +
                 known);
}

Result<std::optional<UsageDependency>> dependency(const FieldReader& data, const char* name) {
  const Json* field = data.find(name);
  if (field == nullptr || field->is_null()) return std::nullopt;
  if (!field->is_object())
    return failure("data." + std::string(name) + " is not an object or null");
  const FieldReader inner(*field, "data." + std::string(name) + ".");
  UsageDependency found;
  if (auto read = inner.read("name", found.name); !read) return tl::unexpected(read.error());
  if (auto read = inner.read("sha256", found.sha256); !read) return tl::unexpected(read.error());
  return std::optional<UsageDependency>(std::move(found));
}

Result<std::optional<UsageKey>> reversed_key(const FieldReader& data) {
  const Json* field = data.find("reverses");
  if (field == nullptr || !field->is_object())
    return failure("data.reverses of a reversal is not {source, id}");
  const FieldReader inner(*field, "data.reverses.");
  UsageKey key;
  if (auto read = inner.read("source", key.source); !read) return tl::unexpected(read.error());
  if (auto read = inner.read("id", key.id); !read) return tl::unexpected(read.error());
  return std::optional<UsageKey>(std::move(key));
}

Result<void> read_object(const FieldReader& data, const char* name, Json& into) {
  const Json* field = data.find(name);
  if (field == nullptr || field->is_null()) return {};
  if (!field->is_object()) return failure("data." + std::string(name) + " is not an object");
  into = *field;
  return {};
}

Result<void> read_time(const FieldReader& from, const char* name, UtcNs& into) {
  const auto text = from.string(name);
  if (!text) return tl::unexpected(text.error());
  const auto time = parse_utc(*text);
  if (!time)
    return failure(from.full_name(name) + ": " + time.error().message, time.error().remedy);
  into = *time;
  return {};
}

/// `received` of the event, or of its data.
Result<void> read_received(const FieldReader& event, const FieldReader& data, UsageRecord& record) {
  for (const FieldReader* from : {&event, &data}) {
    if (from->find("received") == nullptr) continue;
    UtcNs time = 0;
    if (auto read = read_time(*from, "received", time); !read) return read;
    record.received = time;
    return {};
  }
  return {};
}

/// The fields that are the interval and the amount.
Result<void> read_measured(const FieldReader& data, UsageRecord& record) {
  std::string quantity;
  std::int64_t mono_ns = 0;
  for (auto read : {data.read("meter", record.meter), data.read("unit", record.unit),
                    data.read("def", record.def), data.read("quantity", quantity),
                    read_time(data, "start", record.start), read_time(data, "end", record.end),
                    data.read("mono_ns", mono_ns)})
    if (!read) return read;
  if (mono_ns < 0) return failure("data.mono_ns is negative");
  record.mono_ns = static_cast<std::uint64_t>(mono_ns);
  const auto amount = quantity_of(quantity);
  if (!amount) return tl::unexpected(amount.error());
  record.quantity = *amount;
  return {};
}

/// The fields that say what the amount is worth.
Result<void> read_evidence(const FieldReader& data, UsageRecord& record) {
  const auto method = enumerator<UsageMethod>(data, "method", kMethods);
  if (!method) return tl::unexpected(method.error());
  const auto integrity = enumerator<UsageIntegrity>(data, "integrity", kIntegrities);
  if (!integrity) return tl::unexpected(integrity.error());
  const auto source = enumerator<TenantSource>(data, "tenant_source", kTenantSources);
  if (!source) return tl::unexpected(source.error());
  record.method = *method;
  record.integrity = *integrity;
  record.tenant_source = *source;
  if (auto read = data.read("coverage_ppm", record.coverage_ppm); !read) return read;
  if (const Json* error = data.find("rel_err_ppm"); error != nullptr && !error->is_null())
    if (auto read = data.read("rel_err_ppm", record.rel_err_ppm.emplace()); !read) return read;
  auto event_table = dependency(data, "event_table");
  if (!event_table) return tl::unexpected(event_table.error());
  record.event_table = *std::move(event_table);
  auto calibration = dependency(data, "calibration");
  if (!calibration) return tl::unexpected(calibration.error());
  record.calibration = *std::move(calibration);
  return {};
}

Result<void> read_place_in_chain(const FieldReader& data, UsageRecord& record) {
  if (data.find("seq") == nullptr && record.is_reversal()) return {};
  std::int64_t seq = 0;
  if (auto read = data.read("seq", seq); !read) return read;
  if (seq < 0) return failure("data.seq is negative");
  record.seq = static_cast<std::uint64_t>(seq);
  return data.read("prev", record.prev);
}

Result<void> read_data(const FieldReader& data, UsageRecord& record) {
  if (auto read = read_place_in_chain(data, record); !read) return read;
  if (auto read = read_object(data, "resource", record.resource); !read) return read;
  if (auto read = read_object(data, "attrs", record.attrs); !read) return read;
  // Of a reversal only what it reverses counts: the rest may be there, as a copy of the record's.
  const bool measured = !record.is_reversal() || data.find("quantity") != nullptr;
  if (!measured) {
    record.start = record.end = 0;
    return {};
  }
  if (auto read = read_measured(data, record); !read) return read;
  return read_evidence(data, record);
}

Json dependency_json(const std::optional<UsageDependency>& dependency) {
  if (!dependency) return nullptr;
  return {{"name", dependency->name}, {"sha256", dependency->sha256}};
}

}  // namespace

std::string_view to_string(UsageMethod method) {
  return kMethods.at(static_cast<std::size_t>(method));
}
std::string_view to_string(UsageIntegrity integrity) {
  return kIntegrities.at(static_cast<std::size_t>(integrity));
}
std::string_view to_string(TenantSource source) {
  return kTenantSources.at(static_cast<std::size_t>(source));
}

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_known_meter(std::string_view meter) {
  constexpr std::array<std::string_view, 7> kMeters{
      "bops_formula", "bops_decoded", "instructions", "cpu_time", "images", "requests", "tokens"};
  if (std::find(kMeters.begin(), kMeters.end(), meter) != kMeters.end()) return true;
  for (const std::string_view family : {"gpu_", "tokens_", "work_"})
    if (meter.starts_with(family)) return is_name_end(meter.substr(family.size()));
  return false;
}

Result<void> check_usage_record(const UsageRecord& record) {
  if (auto key = check_key(record.key, ""); !key) return key;
  if (record.is_reversal())
    if (auto key = check_key(*record.reverses, "data.reverses."); !key) return key;
  if (record.subject.empty() || has_control_characters(record.subject))
    return failure("subject (the tenant) is empty or has control characters");
  if (record.seq && !is_sha256_hex(record.prev))
    return failure("data.prev is not 64 lower-case hexadecimal digits");
  if (record.is_reversal() && record.meter.empty()) return {};
  if (!is_known_meter(record.meter))
    return failure("data.meter \"" + record.meter.substr(0, 64) + "\" is unknown",
                   "src/usage/README.md lists the meters; one of your own starts with work_");
  if (record.unit.empty()) return failure("data.unit is empty");
  if (record.def < 1) return failure("data.def is not positive");
  if (record.quantity > kMaxQuantity) return failure("data.quantity is over 2^62");
  if (record.end < record.start) return failure("data.end is before data.start");
  if (record.end > record.start && hour_of(record.start) != hour_of(record.end - 1))
    return failure("data.start and data.end are not in one UTC hour");
  if (record.coverage_ppm < 0 || record.coverage_ppm > kPpm)
    return failure("data.coverage_ppm is not within 0 and 1000000");
  if (record.rel_err_ppm && *record.rel_err_ppm < 0) return failure("data.rel_err_ppm is negative");
  for (const auto& dependency : {record.event_table, record.calibration})
    if (dependency && !is_sha256_hex(dependency->sha256))
      return failure("the sha256 of data.event_table or data.calibration is not 64 hex digits");
  return {};
}

Result<UsageRecord> parse_usage_line(std::string_view line) {
  if (line.size() > kMaxLineSize) return failure("the line is longer than 65536 bytes");
  const auto json = parse_unambiguous_json(line);
  if (!json) return tl::unexpected(json.error());
  if (!json->is_object()) return failure("the line is not a JSON object");
  const FieldReader event(*json, "");
  UsageRecord record;
  std::string version, type;
  UtcNs time = 0;
  for (auto read : {event.read("specversion", version), event.read("type", type),
                    event.read("source", record.key.source), event.read("id", record.key.id),
                    event.read("subject", record.subject), read_time(event, "time", time)})
    if (!read) return tl::unexpected(read.error());
  if (version != "1.0") return failure("specversion is not \"1.0\"");
  if (type != kType && type != kReversalType)
    return failure("type is \"" + type.substr(0, 64) + "\", not bops.usage.v1");
  const Json* data_json = event.find("data");
  if (data_json == nullptr || !data_json->is_object()) return failure("data is not an object");
  const FieldReader data(*data_json, "data.");
  if (type == kReversalType) {
    auto reverses = reversed_key(data);
    if (!reverses) return tl::unexpected(reverses.error());
    record.reverses = *std::move(reverses);
  }
  if (auto read = read_data(data, record); !read) return tl::unexpected(read.error());
  if (record.meter.empty()) record.start = record.end = time;
  if (time != record.start) return failure("time is not data.start");
  if (auto read = read_received(event, data, record); !read) return tl::unexpected(read.error());
  if (auto valid = check_usage_record(record); !valid) return tl::unexpected(valid.error());
  return record;
}

std::string usage_line(const UsageRecord& record) {
  using Ordered = nlohmann::ordered_json;
  Ordered event{
      {"specversion", "1.0"},        {"type", record.is_reversal() ? kReversalType : kType},
      {"source", record.key.source}, {"id", record.key.id},
      {"subject", record.subject},   {"time", format_utc(record.start)}};
  Ordered data = Ordered::object();
  if (!record.meter.empty()) {
    data["meter"] = record.meter;
    data["unit"] = record.unit;
    data["def"] = record.def;
    data["quantity"] = std::to_string(record.quantity);
    data["start"] = format_utc(record.start);
    data["end"] = format_utc(record.end);
    data["mono_ns"] = record.mono_ns;
    data["method"] = to_string(record.method);
    data["coverage_ppm"] = record.coverage_ppm;
    data["rel_err_ppm"] = record.rel_err_ppm ? Ordered(*record.rel_err_ppm) : Ordered(nullptr);
    data["integrity"] = to_string(record.integrity);
    data["event_table"] = dependency_json(record.event_table);
    data["calibration"] = dependency_json(record.calibration);
    data["tenant_source"] = to_string(record.tenant_source);
  }
  data["resource"] = record.resource;
  data["attrs"] = record.attrs;
  if (record.seq) {
    data["seq"] = *record.seq;
    data["prev"] = record.prev;
  }
  if (record.reverses)
    data["reverses"] = {{"source", record.reverses->source}, {"id", record.reverses->id}};
  if (record.received) event["received"] = format_utc(*record.received);
  event["data"] = std::move(data);
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bops

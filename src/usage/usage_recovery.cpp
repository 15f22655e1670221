// The records of a run whose bops died: what they lack is written from its counts.
#include <algorithm>
#include <array>
#include <cassert>
#include <filesystem>

#include "platform/clock.hpp"
#include "usage/host_source.hpp"
#include "usage/key_store.hpp"
#include "usage/usage_meter.hpp"
#include "usage/usage_sink.hpp"
#include "usage/written_chain.hpp"

namespace bops {
namespace {

using Json = nlohmann::json;

constexpr std::array<TenantSource, 4> kTenantSources{TenantSource::kHost, TenantSource::kCgroup,
                                                     TenantSource::kSlurm, TenantSource::kDeclared};

bool is_url(const std::string& target) {
  return target.find("://") != std::string::npos;
}

std::string absolute(const std::string& path) {
  if (path.empty() || is_url(path)) return path;
  std::error_code error;
  const auto whole = std::filesystem::absolute(path, error);
  return error ? path : whole.string();
}

/// Text of the target's environment and of labels may be no UTF-8.
std::string dumped(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Json json_of(const CollectorInfo& info) {
  return {{"name", info.name},           {"title", info.title},
          {"unit", info.unit},           {"scope", info.scope},
          {"integrity", info.integrity}, {"slowdown_class", info.slowdown_class}};
}

CollectorInfo info_of(const Json& json) {
  return {json.at("name"),  json.at("title"),     json.at("unit"),
          json.at("scope"), json.at("integrity"), json.at("slowdown_class")};
}

Tenant tenant_of(const Json& json) {
  Tenant tenant{json.at("name"), TenantSource::kDeclared};
  for (const TenantSource source : kTenantSources)
    if (json.at("source") == to_string(source)) tenant.source = source;
  return tenant;
}

}  // namespace

Json UsageMeter::state() const {
  Json places = Json::array();
  for (const std::string& place : options_.second_places) places.push_back(absolute(place));
  Json state{{"source", writer_.source()},
             {"target", absolute(options_.target)},
             {"second_places", std::move(places)},
             {"key_file", absolute(options_.key_file)},
             {"labels", options_.labels},
             {"work", options_.work},
             {"interval_ns", options_.interval.count()},
             {"by_region", options_.by_region},
             {"strict", options_.strict},
             {"tenant", nullptr},
             {"collector", nullptr},
             {"resource", resource_},
             {"pid", target_},
             {"attached", attached_},
             {"started", {{"mono_ns", started_.mono_ns}, {"utc_ns", started_.utc}}}};
  // A directory that was named as one stays one.
  if (options_.target.ends_with('/') && !is_url(options_.target))
    state["target"] = absolute(options_.target) + "/";
  if (tenant_) state["tenant"] = {{"name", tenant_->name}, {"source", to_string(tenant_->source)}};
  if (info_) state["collector"] = json_of(*info_);
  return Json::parse(dumped(state));
}

Result<std::unique_ptr<UsageMeter>> UsageMeter::reopen(const Json& state) try {
  UsageOptions options;
  options.target = state.at("target");
  options.second_places = state.at("second_places").get<std::vector<std::string>>();
  options.key_file = state.at("key_file");
  options.labels = state.at("labels").get<std::map<std::string, std::string>>();
  options.work = state.at("work").get<std::map<std::string, std::uint64_t>>();
  options.interval = std::chrono::nanoseconds(state.at("interval_ns").get<std::int64_t>());
  options.by_region = state.at("by_region");
  options.strict = state.at("strict");
  const std::string source = state.at("source");
  std::optional<Tenant> tenant;
  if (!state.at("tenant").is_null()) tenant = tenant_of(state.at("tenant"));

  auto written = read_written_chain(options.target, source);
  if (!written) return tl::unexpected(written.error());
  if (written->closed) return nullptr;
  auto sink = open_sink(options.target, source, options.second_places);
  if (!sink) return tl::unexpected(sink.error());
  auto key = signing_key(options.key_file, host_source());
  if (!key) return tl::unexpected(key.error());
  std::unique_ptr<UsageMeter> meter(
      new UsageMeter(std::move(options), std::move(tenant),
                     ChainWriter(source, *std::move(key), *std::move(sink))));
  meter->writer_.resume(written->lines, written->head);
  if (!state.at("collector").is_null()) meter->info_ = info_of(state.at("collector"));
  meter->resource_ = state.at("resource");
  meter->target_ = state.at("pid");
  meter->attached_ = state.at("attached");
  meter->started_ = {state.at("started").at("mono_ns"), state.at("started").at("utc_ns")};
  meter->open_since_ = written->end > 0 ? written->end : meter->started_.utc;
  meter->recovered_ = true;
  for (const auto& [name, sum] : written->sums)
    meter->written_[{name.subject, name.name, name.gpu}] = sum;
  return meter;
} catch (const Json::exception& error) {
  return failure(std::string("what was kept of the usage records is damaged: ") + error.what());
}

Result<std::uint64_t> UsageMeter::recover(const RunCounts& counts, std::uint64_t end_mono_ns,
                                          std::optional<std::uint64_t> cpu_ns) {
  assert(recovered_);
  RunReadings readings = readings_of_run(&counts);
  // The records say whose each was: those of the run's own tenant, and shared ones, are one meter
  // here, unless a region is of that tenant.
  MeterReadings written;
  for (const auto& [key, sum] : written_) {
    const bool own = tenant_ && key.subject == tenant_->name && !readings.meters.contains(key);
    written[own || key.subject == kSharedSubject ? MeterKey{"", key.meter, key.gpu} : key] += sum;
  }
  written_ = std::move(written);
  for (const auto& [unit, amount] : options_.work) {
    // Declared of a run to its end: whether one that was left alone did it all, nobody knows.
    std::erase_if(readings.meters,
                  [&meter = unit](const auto& reading) { return reading.first.meter == meter; });
    if (cpu_ns)
      readings.meters[{"", unit}] = static_cast<std::int64_t>(amount);
    else
      lost_.insert({"", unit});
  }
  if (cpu_ns)
    read_cpu_time(&counts, cpu_ns, readings.meters);
  else
    lost_.insert({"", "cpu_time"});
  for (const auto& [key, sum] : written_)
    if (!readings.meters.contains(key)) lost_.insert(key);
  for (const MeterKey& key : lost_) readings.meters.try_emplace(key, written_[key]);

  UtcNs end = started_.utc + static_cast<UtcNs>(end_mono_ns - started_.mono_ns);
  // Where the end is not known bops died within an interval of its last records.
  if (end <= open_since_)
    end = std::min(now_on_both_clocks().utc, open_since_ + options_.interval.count());
  end = std::max(end, open_since_ + 1);
  make_records(&counts, readings.meters, slices_between(open_since_, end), true);
  const std::uint64_t before = writer_.lines();
  write(true);
  if (!last_write_) return tl::unexpected(last_write_.error());
  return writer_.lines() - before;
}

}  // namespace bops

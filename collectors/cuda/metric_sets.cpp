#include "collectors/cuda/metric_sets.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

namespace bops::cuda {
namespace {

using Json = nlohmann::json;

struct RoleName {
  std::string_view name;
  Role role;
  bool has_of;
};
constexpr std::array<RoleName, 15> kRoles{{
    {"warp_instructions", Role::kWarpInstructions, false},
    {"warp_loads", Role::kWarpLoads, false},
    {"warp_stores", Role::kWarpStores, false},
    {"warp_loads_and_stores", Role::kWarpLoadsAndStores, false},
    {"warp_branches", Role::kWarpBranches, false},
    {"thread_instructions", Role::kThreadInstructions, false},
    {"thread_loads_and_stores", Role::kThreadLoadsAndStores, false},
    {"thread_branches", Role::kThreadBranches, false},
    {"thread_all", Role::kThreadAll, false},
    {"instructions", Role::kInstructions, true},
    {"operations", Role::kOperations, true},
    {"tensor_instructions", Role::kTensorInstructions, true},
    {"tensor_operations", Role::kTensorOperations, true},
    {"beside", Role::kBeside, true},
    {"duration_ns", Role::kDuration, false},
}};

/// Where in a file something is wrong; thrown and caught in read_chip_family() alone, as the
/// exceptions of the JSON library are.
struct Malformed {
  std::string what;
};

Metric read_metric(const Json& row) {
  const auto word = row.at("role").get<std::string>();
  const auto* const role =
      std::find_if(kRoles.begin(), kRoles.end(),
                   [&word](const RoleName& candidate) { return candidate.name == word; });
  if (role == kRoles.end()) throw Malformed{"there is no role " + word};
  Metric metric{role->role, row.value("of", ""), row.value("each", std::int64_t{1}),
                row.at("name").get<std::string>()};
  if (role->has_of == metric.of.empty()) throw Malformed{word + " must say of what, or must not"};
  if (metric.each == 0) throw Malformed{metric.name + " counts 0 each"};
  for (const auto& [key, value] : row.items())
    if (key != "role" && key != "of" && key != "each" && key != "name")
      throw Malformed{metric.name + " has an unknown member " + key};
  return metric;
}

Quality quality_of(const std::string& word) {
  if (word == "exact") return Quality::kExact;
  if (word == "approximate") return Quality::kApproximate;
  throw Malformed{"a set is exact or approximate, not " + word};
}

MetricSet read_set(const Json& row) {
  MetricSet set;
  GpuMetricSet& description = set.description;
  description.name = row.at("name").get<std::string>();
  description.title = row.at("title").get<std::string>();
  description.formula = row.at("formula").get<std::string>();
  description.loads = row.at("loads").get<std::string>();
  description.stores = row.at("stores").get<std::string>();
  description.branches = row.at("branches").get<std::string>();
  description.leaves_in = row.at("leaves_in").get<std::vector<std::string>>();
  description.takes_out = row.at("takes_out").get<std::vector<std::string>>();
  description.quality = quality_of(row.at("quality").get<std::string>());
  const auto range = row.at("range").get<std::string>();
  if (range != "user" && range != "auto") throw Malformed{"a range is user or auto, not " + range};
  set.user_range = range == "user";
  set.most_passes = row.at("most_passes").get<std::uint64_t>();
  for (const Json& metric : row.at("metrics")) set.metrics.push_back(read_metric(metric));
  if (set.metrics.empty()) throw Malformed{description.name + " has no metrics"};
  for (const Metric& metric : set.metrics)
    if (std::find(description.metrics.begin(), description.metrics.end(), metric.name) ==
        description.metrics.end())
      description.metrics.push_back(metric.name);
  return set;
}

const MetricSet* find_set(const ChipFamily& family, std::string_view name) {
  for (const MetricSet& set : family.sets)
    if (set.description.name == name) return &set;
  return nullptr;
}

/// No sum of a set overflows with values below it.
constexpr double kLargest = 0x1p56;

/// The sum of one role (and kind) over the metrics of one set; nothing if a value is missing or no
/// count comes out.
class Sum {
 public:
  void add(const Metric& metric, const std::map<std::string, double>& values) {
    const auto value = values.find(metric.name);
    if (value == values.end() || !std::isfinite(value->second) || value->second < 0 ||
        value->second >= kLargest) {
      valid_ = false;
      return;
    }
    any_ = true;
    sum_ += metric.each * std::llround(value->second);
  }
  [[nodiscard]] std::optional<std::uint64_t> get() const {
    if (!any_ || !valid_ || sum_ < 0) return std::nullopt;
    return static_cast<std::uint64_t>(sum_);
  }

 private:
  std::int64_t sum_ = 0;
  bool any_ = false;
  bool valid_ = true;
};

std::optional<std::uint64_t> together(const std::optional<std::uint64_t>& a,
                                      const std::optional<std::uint64_t>& b) {
  if (!a || !b) return std::nullopt;
  return *a + *b;
}

void set_formula(std::optional<GpuFormulaCounts>& formula, std::optional<std::uint64_t> total,
                 std::optional<std::uint64_t> loads, std::optional<std::uint64_t> stores,
                 std::optional<std::uint64_t> both, std::optional<std::uint64_t> branches) {
  if (!both) both = together(loads, stores);
  if (formula || !total || !both || !branches) return;
  formula = GpuFormulaCounts{*total, loads, stores, *both, *branches};
}

GpuAmounts* amounts_of(GpuCounts& counts, Role role) {
  switch (role) {
    case Role::kInstructions: return &counts.instructions;
    case Role::kOperations: return &counts.operations;
    case Role::kTensorInstructions: return &counts.tensor_instructions;
    case Role::kTensorOperations: return &counts.tensor_operations;
    case Role::kBeside: return &counts.beside;
    default: return nullptr;
  }
}

void count_set(const MetricSet& set, const std::map<std::string, double>& values,
               GpuCounts& counts) {
  std::map<std::pair<Role, std::string>, Sum> sums;
  for (const Metric& metric : set.metrics) sums[{metric.role, metric.of}].add(metric, values);
  const auto get = [&sums](Role role) -> std::optional<std::uint64_t> {
    const auto sum = sums.find({role, ""});
    return sum == sums.end() ? std::nullopt : sum->second.get();
  };
  set_formula(counts.warp, get(Role::kWarpInstructions), get(Role::kWarpLoads),
              get(Role::kWarpStores), get(Role::kWarpLoadsAndStores), get(Role::kWarpBranches));
  set_formula(counts.thread, get(Role::kThreadInstructions), std::nullopt, std::nullopt,
              get(Role::kThreadLoadsAndStores), get(Role::kThreadBranches));
  if (const auto duration = get(Role::kDuration)) counts.duration_ns = duration;
  if (const auto all = get(Role::kThreadAll)) counts.instructions["all_predicates"] = *all;
  for (const auto& [key, sum] : sums)
    if (GpuAmounts* amounts = amounts_of(counts, key.first))
      if (const auto value = sum.get()) (*amounts)[key.second] = *value;
}

}  // namespace

std::string_view to_string(Mode mode) {
  return mode == Mode::kMeter ? "meter" : "profile";
}

Result<ChipFamily> read_chip_family(const std::string& name, std::string_view json) {
  const auto malformed = [&name](const std::string& what) {
    return failure("metric_sets/" + name + ".json: " + what);
  };
  try {
    const Json document = Json::parse(json);
    ChipFamily family;
    family.name = name;
    family.title = document.at("title").get<std::string>();
    family.chips = document.at("chips").get<std::vector<std::string>>();
    family.compute_capabilities =
        document.at("compute_capabilities").get<std::vector<std::string>>();
    std::set<std::string> names;
    for (const Json& row : document.at("sets")) {
      family.sets.push_back(read_set(row));
      if (!names.insert(family.sets.back().description.name).second)
        throw Malformed{"two sets are called " + family.sets.back().description.name};
    }
    for (const std::string_view needed : {"meter", "warp", "thread", "rich", "tensor"})
      if (!names.contains(std::string(needed)))
        throw Malformed{"there is no set " + std::string(needed)};
    return family;
  } catch (const Json::exception& error) {
    return malformed(error.what());
  } catch (const Malformed& error) {
    return malformed(error.what);
  }
}

const std::vector<ChipFamily>& chip_families() {
  static const std::vector<ChipFamily> families = [] {
    std::vector<ChipFamily> read;
    for (const EmbeddedFile& file : embedded_metric_sets()) {
      auto family = read_chip_family(std::string(file.name), file.json);
      if (!family) std::abort();  // a bug of our own, which the tests find
      read.push_back(*std::move(family));
    }
    return read;
  }();
  return families;
}

const ChipFamily* family_of(std::string_view chip) {
  for (const ChipFamily& family : chip_families())
    if (std::find(family.chips.begin(), family.chips.end(), chip) != family.chips.end())
      return &family;
  return nullptr;
}

std::vector<const MetricSet*> sets_of(const ChipFamily& family, Mode mode, bool tensor_operations) {
  if (mode == Mode::kMeter) return {find_set(family, "meter")};
  std::vector<const MetricSet*> sets{find_set(family, "warp"), find_set(family, "thread"),
                                     find_set(family, "rich"), find_set(family, "tensor")};
  if (const MetricSet* set = find_set(family, "tensor_operations"); set && tensor_operations)
    sets.push_back(set);
  return sets;
}

std::vector<std::string> metric_names(const std::vector<const MetricSet*>& sets) {
  std::vector<std::string> names;
  for (const MetricSet* set : sets)
    for (const std::string& name : set->description.metrics)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

GpuCounts counts_of(const std::vector<const MetricSet*>& sets,
                    const std::map<std::string, double>& values) {
  GpuCounts counts;
  for (const MetricSet* set : sets) count_set(*set, values, counts);
  return counts;
}

const NvprofNames& nvprof_names() {
  static const NvprofNames names = Json::parse(embedded_nvprof_names()).get<NvprofNames>();
  return names;
}

}  // namespace bops::cuda

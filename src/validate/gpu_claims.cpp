#include "validate/gpu_claims.hpp"

#include <nlohmann/json.hpp>

namespace bops::validate {
namespace {

std::optional<std::uint64_t> of_level(const std::optional<GpuFormulaCounts>& level,
                                      std::string_view field) {
  if (!level) return std::nullopt;
  if (field == "instructions") return level->instructions;
  if (field == "loads") return level->loads;
  if (field == "stores") return level->stores;
  if (field == "branches") return level->branches;
  return std::nullopt;
}

std::optional<std::uint64_t> of_kind(const GpuAmounts& amounts, std::string_view kind) {
  const auto amount = amounts.find(std::string(kind));
  if (amount == amounts.end()) return std::nullopt;
  return amount->second;
}

}  // namespace

Result<std::vector<GpuKernel>> read_gpu_kernels(std::string_view json) {
  try {
    std::vector<GpuKernel> kernels;
    for (const auto& row : nlohmann::json::parse(json)) {
      GpuKernel kernel{row.at("name").get<std::string>(),
                       row.at("title").get<std::string>(),
                       row.at("size").get<std::uint64_t>(),
                       {}};
      for (const auto& each : row.at("expectations"))
        kernel.expectations.push_back({kernel.name, each.at("what").get<std::string>(),
                                       each.at("count").get<std::uint64_t>(),
                                       each.at("within").get<double>()});
      kernels.push_back(std::move(kernel));
    }
    return kernels;
  } catch (const nlohmann::json::exception& error) {
    return failure(
        std::string("bops-gpu-workload lists its kernels in an unknown way: ") + error.what(),
        "build all of bops again");
  }
}

std::optional<std::uint64_t> measured(const GpuCounts& counts, std::string_view what) {
  const std::size_t divider = what.find_first_of(".:");
  if (divider == std::string_view::npos) return std::nullopt;
  const std::string_view group = what.substr(0, divider);
  const std::string_view name = what.substr(divider + 1);
  if (group == "warp") return of_level(counts.warp, name);
  if (group == "thread") return of_level(counts.thread, name);
  if (group == "operations") return of_kind(counts.operations, name);
  if (group == "instructions") return of_kind(counts.instructions, name);
  if (group == "tensor_instructions") return of_kind(counts.tensor_instructions, name);
  if (group == "tensor_operations") return of_kind(counts.tensor_operations, name);
  if (group == "beside") return of_kind(counts.beside, name);
  return std::nullopt;
}

bool holds(const GpuExpectation& expectation, std::uint64_t count) {
  constexpr double kBelow = 0.01;
  const auto expected = static_cast<double>(expectation.count);
  const auto counted = static_cast<double>(count);
  if (expectation.within == 0) return count == expectation.count;
  return counted <= expected * (1 + expectation.within) &&
         counted >= expected * (1 - kBelow * expectation.within);
}

}  // namespace bops::validate

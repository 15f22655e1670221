#include "model/sampled_functions.hpp"

#include <cmath>

#include "model/bops.hpp"

namespace bops {

SampledEstimate estimate_of(const FormulaSamples& samples, const FormulaSamples& all,
                            std::uint64_t period) {
  const auto events = [&](std::size_t event) { return samples.at(event) * period; };
  SampledEstimate estimate;
  estimate.bops_formula =
      bops_formula(InstructionCounts{events(0), events(1), events(2), events(3)});
  double variance = 0;
  for (std::size_t event = 0; event < samples.size(); ++event) {
    const auto in_function = static_cast<double>(samples.at(event));
    if (samples.at(event) == 0) continue;
    const double share = in_function / static_cast<double>(all.at(event));
    variance += in_function * (1 - share) + 1;
  }
  estimate.standard_error = std::sqrt(variance) * static_cast<double>(period);
  return estimate;
}

FormulaSamples SampledFunctions::all() const {
  FormulaSamples sum{};
  for (const SampledFunction& function : functions)
    for (std::size_t event = 0; event < sum.size(); ++event)
      sum.at(event) += function.samples.at(event);
  return sum;
}

}  // namespace bops

#include "model/quality.hpp"

namespace bops {

std::string_view to_string(Quality quality) {
  switch (quality) {
    case Quality::kExact: return "exact";
    case Quality::kApproximate: return "approximate";
    case Quality::kScaled: return "scaled";
    case Quality::kPartial: return "partial";
    case Quality::kMissing: return "missing";
  }
  return "missing";
}

}  // namespace bops

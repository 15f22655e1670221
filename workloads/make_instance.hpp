// The styles that the build being compiled holds. variant.hpp is one of those under variant/,
// chosen by the include path.
#pragma once

#include <memory>

#include "variant.hpp"
#include "workloads/kernel.hpp"

namespace bops::workloads {

/// An instance of the kernel class K<language, style>; null where this build lacks the style.
template <template <class, Style> class K>
std::unique_ptr<Instance> make_instance(Style style, const Problem& problem) {
  if constexpr (Variant::kHasPointers) {
    if (style == Style::kPointer)
      return std::make_unique<K<Variant::Language, Style::kPointer>>(problem);
  }
  if constexpr (Variant::kHasIndices) {
    if (style == Style::kIndex)
      return std::make_unique<K<Variant::Language, Style::kIndex>>(problem);
  }
  return nullptr;
}

}  // namespace bops::workloads

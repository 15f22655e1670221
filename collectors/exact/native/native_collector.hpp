// The exact collector on our own translator: any x86-64 program, no privileges, at about the
// program's own speed.
#pragma once

#include <memory>

#include "model/collector.hpp"

namespace bops::exact {

[[nodiscard]] std::unique_ptr<Collector> make_native_collector();

}  // namespace bops::exact

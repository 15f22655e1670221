// The exact collector on QEMU user mode: any x86-64 program, no privileges, emulated.
#pragma once

#include <memory>

#include "model/collector.hpp"

namespace bops::exact {

[[nodiscard]] std::unique_ptr<Collector> make_qemu_collector();

}  // namespace bops::exact

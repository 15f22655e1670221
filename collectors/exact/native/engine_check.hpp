// Whether the engine works on this machine, found out by counting a program whose count is known.
#pragma once

#include <string>

#include "model/error.hpp"

namespace bops::exact {

/// The engine's executable, beside bops.
[[nodiscard]] Result<std::string> find_engine();

/// Counts check/known_work.S under the engine, in some milliseconds; fails with the reason and the
/// remedy if anything but its known count comes out.
[[nodiscard]] Result<void> check_engine();

}  // namespace bops::exact

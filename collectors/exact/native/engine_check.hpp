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

/// As check_engine(), unless that has succeeded before for this user, with the same files, since
/// the machine was started: a note in the state directory says so (engine_note.hpp). The limits on
/// memory are looked at each time.
[[nodiscard]] Result<void> check_engine_once();

}  // namespace bops::exact

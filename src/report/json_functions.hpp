// The rows of functions in a run record: thousands, so that they are most of what is written.
// Room-internal.
#pragma once

#include <span>
#include <string>

#include "model/run_counts.hpp"

namespace bops {

/// Puts the rows into `document`, a run record without functions, as dump() would with them: on
/// one line, or else indented by 2. ASCII only.
void insert_functions(std::string& document, std::span<const FunctionCounts> functions,
                      bool measured, bool on_one_line);

}  // namespace bops

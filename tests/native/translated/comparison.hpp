// What two executions of a case say, held against each other.
#pragma once

#include <string>
#include <vector>

#include "tests/native/translated/case_file.h"
#include "tests/native/translated/case_writer.hpp"

namespace bops::native {

/// Results as the runner writes them.
[[nodiscard]] std::vector<case_result> read_results(const std::string& output);

/// What differs, in words; empty if nothing that the guest may look at does. Left out are flags in
/// a signal frame that the instructions ahead overwrite before they read them: the engine may
/// have used them.
[[nodiscard]] std::string difference(const Case& of, const case_result& alone,
                                     const case_result& under);

/// The case's instructions and registers, for people.
[[nodiscard]] std::string described(const Case& of);

}  // namespace bops::native

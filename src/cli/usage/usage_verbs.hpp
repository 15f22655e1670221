// The verbs of `bops usage`: one file each, its help beside it.
#pragma once

#include <CLI/CLI.hpp>

namespace bops {

// Each adds its sub-command, whose callback throws CLI::RuntimeError with the exit status.

// Keeping: keys, chains, ledgers.

// Rating.
void add_usage_rate(CLI::App& usage);

}  // namespace bops

// The verbs of `bops usage`: one file each, its help beside it.
#pragma once

#include <CLI/CLI.hpp>

namespace bops {

// Each adds its sub-command, whose callback throws CLI::RuntimeError with the exit status.

// Keeping: keys, chains, ledgers.
void add_usage_keygen(CLI::App& usage);
void add_usage_verify(CLI::App& usage);
void add_usage_import(CLI::App& usage);
void add_usage_list(CLI::App& usage);
void add_usage_show(CLI::App& usage);
void add_usage_resolve(CLI::App& usage);
void add_usage_summary(CLI::App& usage);
void add_usage_export(CLI::App& usage);
void add_usage_push(CLI::App& usage);

// Rating.
void add_usage_rate(CLI::App& usage);
void add_usage_indicators(CLI::App& usage);

}  // namespace bops

// bops usage: from usage records to ledgers and bills.
#include "cli/cli.hpp"
#include "cli/usage/usage_verbs.hpp"

namespace bops {

void add_usage_command(CLI::App& app, const Invocation& invocation) {
  (void)invocation;
  CLI::App* usage = app.add_subcommand(
      "usage", "Keep, check, rate and hand over the usage records of bops run --usage.");
  usage->require_subcommand(1);
  usage->fallthrough();

  // Keeping: keys, chains, ledgers.
  add_usage_keygen(*usage);
  add_usage_verify(*usage);
  add_usage_import(*usage);
  add_usage_list(*usage);
  add_usage_show(*usage);
  add_usage_resolve(*usage);
  add_usage_summary(*usage);
  add_usage_export(*usage);
  add_usage_push(*usage);

  // Rating.
  add_usage_rate(*usage);
  add_usage_indicators(*usage);
}

}  // namespace bops

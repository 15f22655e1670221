#include "cli/cli.hpp"
#include "collector_table.hpp"

int main(int argc, char** argv) {
  const auto collectors = bops::make_collectors();
  return bops::run_cli(argc, argv, collectors);
}

// bops-workload list
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "workloads/kernel_table.hpp"
#include "workloads/program/builds.hpp"
#include "workloads/program/commands.hpp"

namespace bops::workloads {
namespace {

void print_json() {
  nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
  for (const Kernel& kernel : kernel_table())
    kernels.push_back({{"name", kernel.name},
                       {"title", kernel.title},
                       {"size_unit", kernel.size_unit},
                       {"default_size", kernel.default_size},
                       {"minimum_size", kernel.minimum_size},
                       {"maximum_size", kernel.maximum_size},
                       {"size_multiple", kernel.size_multiple},
                       {"takes_distribution", kernel.maximum_skewed_size > 0},
                       {"has_closed_form", kernel.expected != nullptr}});
  const nlohmann::ordered_json list = {
      {"schema", "bops.workload_list.v1"}, {"kernels", kernels}, {"builds", built_builds()}};
  std::cout << list.dump(2) << '\n';
}

void print_text() {
  for (const Kernel& kernel : kernel_table())
    std::cout << std::left << std::setw(18) << kernel.name << kernel.title << " ("
              << kernel.default_size << ' ' << kernel.size_unit << ")\n";
  std::cout << "\nbuilds:";
  for (const std::string& build : built_builds()) std::cout << ' ' << build;
  std::cout << '\n';
}

}  // namespace

void add_list_command(CLI::App& program, int& status) {
  CLI::App* const command = program.add_subcommand("list", "List the kernels and builds");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON");
  command->callback([json, &status] {
    *json ? print_json() : print_text();
    status = 0;
  });
}

}  // namespace bops::workloads

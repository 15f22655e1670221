// bops-oracle CMD...: runs CMD and prints the instructions that it and its descendants retired.
// The exit status is CMD's, 128 + N if signal N killed it, 125 if it could not be run.
#include <iostream>
#include <string>
#include <vector>

#include "tests/oracle/single_stepper.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> command(argv + 1, argv + argc);
  if (command.empty()) {
    std::cerr << "usage: bops-oracle CMD [ARGS...]\n";
    return 125;
  }
  const auto result = bops::oracle::single_step(command, bops::oracle::Follow::kEverything);
  if (!result) {
    std::cerr << "bops-oracle: " << result.error().message << '\n';
    return 125;
  }
  std::cout << "instructions " << result->instructions << '\n';
  if (result->signal) return 128 + *result->signal;
  return result->exit_code.value_or(125);
}

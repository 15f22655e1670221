// Running things on the double (kernels.hpp, fake_cupti.cpp) from a test.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace bops::cuda_double {

/// Which build of the double: under the address sanitizer there is one that it checks.
enum class Build { kPlain, kChecked };

/// The program of the driver API (program.cpp).
[[nodiscard]] std::string program(Build build = Build::kPlain);
/// The library that bops puts into targets.
[[nodiscard]] std::string injection(Build build = Build::kPlain);
[[nodiscard]] std::string cupti(Build build = Build::kPlain);
[[nodiscard]] std::string real_cupti();

/// For bops or the program: the double's driver and CUPTI, and an NVIDIA machine in place of this
/// one; `settings` are the words of fake_cupti.cpp. `machine` is a directory that write_machine()
/// made.
[[nodiscard]] std::map<std::string, std::string> environment(const std::string& settings,
                                                             const std::string& machine,
                                                             Build build = Build::kPlain);

/// What /proc says where a driver is loaded: `params` are lines of its parameters.
void write_machine(const std::string& directory, const std::string& params = "");

}  // namespace bops::cuda_double

#include "platform/programs.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "platform/files.hpp"

namespace bops {

std::optional<std::string> find_program(const std::string& name) {
  const char* variable = std::getenv("PATH");
  std::istringstream path(variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin");
  for (std::string directory; std::getline(path, directory, ':');) {
    const std::filesystem::path candidate =
        std::filesystem::path(directory.empty() ? "." : directory) / name;
    std::error_code error;
    if (std::filesystem::is_regular_file(candidate, error) &&
        ::access(candidate.c_str(), X_OK) == 0)
      return std::filesystem::absolute(candidate, error).string();
  }
  return std::nullopt;
}

std::optional<std::string> find_library_file(const std::string& name) {
  const auto directory = executable_directory();
  if (!directory) return std::nullopt;
  // The last two are CMAKE_INSTALL_LIBDIR on Debian and on 64-bit Fedora.
  static constexpr std::array<std::string_view, 4> kPlaces = {
      "lib/bops", "../lib/bops", "../lib/x86_64-linux-gnu/bops", "../lib64/bops"};
  for (const std::string_view place : kPlaces) {
    const auto candidate = std::filesystem::path(*directory) / place / name;
    std::error_code error;
    const auto path = std::filesystem::canonical(candidate, error);
    if (!error) return path.string();
  }
  return std::nullopt;
}

}  // namespace bops

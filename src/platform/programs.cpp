#include "platform/programs.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <span>
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

namespace {

/// The first of the places, relative to the running executable, that holds the file.
std::optional<std::string> find_beside(std::span<const std::string_view> places,
                                       const std::string& name) {
  const auto directory = executable_directory();
  if (!directory) return std::nullopt;
  for (const std::string_view place : places) {
    const auto candidate = std::filesystem::path(*directory) / place / name;
    std::error_code error;
    const auto path = std::filesystem::canonical(candidate, error);
    if (!error) return path.string();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_library_file(const std::string& name) {
  // The last two are CMAKE_INSTALL_LIBDIR on Debian and on 64-bit Fedora.
  static constexpr std::array<std::string_view, 4> kPlaces = {
      "lib/bops", "../lib/bops", "../lib/x86_64-linux-gnu/bops", "../lib64/bops"};
  return find_beside(kPlaces, name);
}

std::optional<std::string> find_data_file(const std::string& name) {
  static constexpr std::array<std::string_view, 2> kPlaces = {"share/bops", "../share/bops"};
  return find_beside(kPlaces, name);
}

}  // namespace bops

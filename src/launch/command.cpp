#include "launch/command.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "launch/exec_error.hpp"

namespace bops {
namespace {

/// 0 if execve(2) would try the file, else the errno that it would give.
int obstacle(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

std::string default_search_path() {
  std::array<char, 256> path{};
  const std::size_t size = ::confstr(_CS_PATH, path.data(), path.size());
  return size == 0 || size > path.size() ? "/bin:/usr/bin" : path.data();
}

std::string search_path(const std::vector<std::string>& environment) {
  constexpr std::string_view kPrefix = "PATH=";
  for (const std::string& variable : environment)
    if (variable.starts_with(kPrefix)) return variable.substr(kPrefix.size());
  return default_search_path();
}

/// The errors after which execvp(3) of glibc looks at the next directory.
bool search_goes_on(int error) {
  return error == ENOENT || error == ENOTDIR || error == ESTALE || error == ENODEV ||
         error == ETIMEDOUT;
}

Result<std::string> search(const std::string& name, std::string_view path) {
  std::optional<Error> forbidden;
  for (;;) {
    const std::size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    const std::string candidate =
        directory.empty() ? "./" + name : std::string(directory) + "/" + name;
    const int error = obstacle(candidate);
    if (error == 0) return candidate;
    if (error == EACCES || error == EISDIR) {
      if (!forbidden) forbidden = exec_error(candidate, error);
    } else if (!search_goes_on(error)) {
      return tl::unexpected(exec_error(candidate, error));
    }
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
  if (forbidden) return tl::unexpected(std::move(*forbidden));
  return tl::unexpected(not_in_path(name));
}

Result<std::string> absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  // Allocates as much as the path needs, which may be more than PATH_MAX.
  const std::unique_ptr<char, void (*)(void*)> directory(::getcwd(nullptr, 0), ::free);
  // "(unreachable)/..." is what the kernel says of a directory outside the root of this process.
  if (!directory || directory.get()[0] != '/')
    return failure("cannot name the current directory, from which " + path + " starts",
                   "go to a directory that exists, or give an absolute path");
  const std::string_view base(directory.get());
  const std::string_view below =
      path.starts_with("./") ? std::string_view(path).substr(2) : std::string_view(path);
  return std::string(base) + (base.ends_with('/') ? "" : "/") + std::string(below);
}

Result<std::string> find_file(const std::string& command,
                              const std::vector<std::string>& environment) {
  // An empty name is not searched for: it would match every directory of the path.
  if (command.find('/') == std::string::npos && !command.empty())
    return search(command, search_path(environment));
  if (const int error = obstacle(command); error != 0)
    return tl::unexpected(exec_error(command, error));
  return command;
}

}  // namespace

Result<LaunchPlan> resolve_command(std::vector<std::string> arguments,
                                   std::vector<std::string> environment) {
  if (arguments.empty()) return failure("no command was given", "name one after --");
  auto file = find_file(arguments.front(), environment).and_then(absolute);
  if (!file) return tl::unexpected(file.error());
  return LaunchPlan{std::move(*file), std::move(arguments), std::move(environment)};
}

}  // namespace bops

#include "launch/exec_error.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace bops {
namespace {

FailureKind kind_of(int error) {
  switch (error) {
    case ENOENT: return FailureKind::kNotFound;
    case E2BIG:
    case ENOMEM:
    case EAGAIN:
    case EMFILE:
    case ENFILE: return FailureKind::kRefused;
    default: return FailureKind::kNotExecutable;
  }
}

/// The interpreter that a script names, empty if the file is no script or cannot be read.
std::string interpreter_of(const std::string& path) {
  constexpr std::size_t kKernelLineLimit = 256;  // BINPRM_BUF_SIZE, linux/binfmts.h
  std::string line(kKernelLineLimit, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(file.gcount()));
  if (!line.starts_with("#!")) return {};
  line.resize(line.find('\n') == std::string::npos ? line.size() : line.find('\n'));
  const std::size_t first = line.find_first_not_of(" \t", 2);
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_first_of(" \t", first) - first);
}

Error missing(const std::string& path, const std::string& cannot) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return {cannot + ": there is no such file", "check the path", kind_of(ENOENT)};
  std::string interpreter = interpreter_of(path);
  if (interpreter.ends_with('\r'))
    return {cannot + ": its first line ends in a carriage return, which no interpreter's name does",
            "convert its line ends: sed -i 's/\\r$//' " + path, kind_of(ENOENT)};
  if (!interpreter.empty())
    return {cannot + ": its interpreter " + interpreter + " does not exist",
            "install the interpreter, or correct the first line of the script", kind_of(ENOENT)};
  return {cannot + ": its program interpreter (dynamic loader) does not exist",
          "install the loader that `readelf -l " + path + "` names", kind_of(ENOENT)};
}

Error forbidden(const std::string& path, const std::string& cannot) {
  constexpr mode_t kAnyExecute = S_IXUSR | S_IXGRP | S_IXOTH;
  struct stat status {};
  struct statvfs mount {};
  if (::stat(path.c_str(), &status) != 0)
    return {cannot + ": a directory on its path may not be searched",
            "ask its owner for search permission", kind_of(EACCES)};
  if (!S_ISREG(status.st_mode))
    return {cannot + ": it is not a regular file", "name a program", kind_of(EACCES)};
  if (::statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_NOEXEC) != 0)
    return {cannot + ": its file system is mounted noexec", "copy it to another file system",
            kind_of(EACCES)};
  if ((status.st_mode & kAnyExecute) == 0)
    return {cannot + ": it has no execute permission", "chmod +x " + path, kind_of(EACCES)};
  return {cannot + ": permission denied, for itself or its interpreter",
          "ask its owner for permission to execute it", kind_of(EACCES)};
}

std::string remedy_for(int error) {
  switch (error) {
    case E2BIG: return "shorten the arguments or the environment, or raise `ulimit -s`";
    case ENOMEM:
    case EAGAIN: return "free some memory, or raise the limits (ulimit -v, ulimit -u)";
    case EMFILE:
    case ENFILE: return "raise the limit of open files (ulimit -n)";
    case ETXTBSY: return "wait until nobody writes the file any more";
    default: return "check the path and the file";
  }
}

}  // namespace

Error exec_error(const std::string& path, int error) {
  const std::string cannot = "cannot execute " + path;
  if (path.empty())
    return {"cannot execute a command with an empty name", "name a program", kind_of(ENOENT)};
  if (error == ENOENT) return missing(path, cannot);
  if (error == EACCES) return forbidden(path, cannot);
  if (error == EISDIR)
    return {cannot + ": it is a directory", "name a program in it", kind_of(error)};
  if (error == ENOEXEC)
    return {cannot + ": it is neither a program for this machine nor a script with a #! line",
            "run a script without that line through its interpreter, as in: sh " + path,
            kind_of(error)};
  return {cannot + ": " + std::generic_category().message(error), remedy_for(error),
          kind_of(error)};
}

Error not_in_path(const std::string& name) {
  const std::string here = "./" + name;
  const bool is_here = ::access(here.c_str(), X_OK) == 0;
  return {"command not found in PATH: " + name,
          is_here ? "the one in the current directory is called " + here
                  : "check its spelling and PATH, or give a path with a slash",
          FailureKind::kNotFound};
}

}  // namespace bops

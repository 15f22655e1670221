#include "launch/interpreter.hpp"

#include <filesystem>
#include <fstream>

namespace bops {
namespace {

constexpr int kMaxScripts = 5;
constexpr std::size_t kLongestLine = 255;  // BINPRM_BUF_SIZE less its end, binfmts.h of Linux

/// The interpreter that the `#!` line of `path` names; empty if it has none.
std::string interpreter_of(const std::string& path) {
  std::string line(kLongestLine, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(file.gcount()));
  if (!line.starts_with("#!")) return {};
  line.resize(std::min(line.find('\n'), line.size()));
  const std::size_t begin = line.find_first_not_of(" \t", 2);
  if (begin == std::string::npos) return {};
  return line.substr(begin, line.find_first_of(" \t", begin) - begin);
}

}  // namespace

std::string program_behind(const std::string& executable) {
  std::string path = executable;
  for (int scripts = 0; scripts < kMaxScripts; ++scripts) {
    std::string interpreter = interpreter_of(path);
    if (interpreter.empty()) break;
    path = std::move(interpreter);
  }
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::canonical(path, error);
  return error ? path : resolved.string();
}

}  // namespace bops

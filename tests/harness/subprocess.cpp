#include "tests/harness/subprocess.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bops::harness {
namespace {

std::string temporary_path(const std::string& stem) {
  std::string path = "/tmp/bops-test-" + stem + "-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd < 0) throw std::runtime_error("no temporary file");
  ::close(fd);
  return path;
}

void redirect(const std::string& path, int fd) {
  const int file = ::open(path.c_str(), O_WRONLY | O_TRUNC);
  ::dup2(file, fd);
  ::close(file);
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

Subprocess::Subprocess(const std::vector<std::string>& command,
                       const std::map<std::string, std::string>& variables,
                       const std::string& directory, void (*before_exec)())
    : output_path_(temporary_path("out")), errors_path_(temporary_path("err")) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ != 0) return;
  redirect("/dev/null", STDIN_FILENO);
  redirect(output_path_, STDOUT_FILENO);
  redirect(errors_path_, STDERR_FILENO);
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  if (!directory.empty() && ::chdir(directory.c_str()) != 0) ::_exit(99);
  if (before_exec != nullptr) before_exec();
  ::execvp(words[0], words.data());
  ::_exit(98);
}

Subprocess::~Subprocess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::unlink(output_path_.c_str());
  ::unlink(errors_path_.c_str());
}

Ended Subprocess::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  Ended ended;
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.output = read_file(output_path_);
  ended.errors = read_file(errors_path_);
  return ended;
}

Ended run(const std::vector<std::string>& command,
          const std::map<std::string, std::string>& variables, const std::string& directory) {
  return Subprocess(command, variables, directory).wait();
}

TemporaryDirectory::TemporaryDirectory() {
  std::string path = "/tmp/bops-test-dir-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = path;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Counted count(const std::vector<std::string>& command, const std::vector<std::string>& options,
              const std::map<std::string, std::string>& variables) {
  const TemporaryDirectory directory;
  const std::string path = directory / "record.json";
  std::vector<std::string> words = {bops_program(), "run", "-o", path};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  Counted counted{run(words, variables), nullptr};
  const std::string text = read_file(path);
  if (!text.empty()) counted.record = nlohmann::json::parse(text);
  return counted;
}

std::vector<std::string> exact_engines() {
  return {"native", "qemu"};
}
std::string bops_program() {
  return BOPS_PROGRAM;
}
std::string target_program(const std::string& name) {
  return std::string(BOPS_TARGET_PROGRAMS) + "/" + name;
}
std::string known_asm_program(const std::string& name) {
  return std::string(BOPS_KNOWN_ASM_PROGRAMS) + "/" + name;
}

}  // namespace bops::harness

// Runs programs as a user would, and reads what they leave behind.
#pragma once

#include <sys/types.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bops::harness {

struct Ended {
  std::optional<int> code;
  std::optional<int> signal;
  std::string output;  ///< stdout
  std::string errors;  ///< stderr
};

/// A child whose output is kept in files, so that it never waits for a reader.
class Subprocess {
 public:
  /// Starts `command` (PATH is searched) with `variables` added to the environment, in `directory`
  /// if that is not empty. `before_exec` runs in the child.
  explicit Subprocess(const std::vector<std::string>& command,
                      const std::map<std::string, std::string>& variables = {},
                      const std::string& directory = {}, void (*before_exec)() = nullptr);
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  ~Subprocess();  ///< kills it if it still runs

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Ended wait();

 private:
  pid_t pid_;
  std::string output_path_;
  std::string errors_path_;
};

[[nodiscard]] Ended run(const std::vector<std::string>& command,
                        const std::map<std::string, std::string>& variables = {},
                        const std::string& directory = {});

/// A directory of its own for a test, removed with all in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct Counted {
  Ended ended;
  nlohmann::json record;  ///< null if there is none
};

/// `bops run OPTIONS -o FILE -- COMMAND`, and its record.
[[nodiscard]] Counted count(const std::vector<std::string>& command,
                            const std::vector<std::string>& options = {},
                            const std::map<std::string, std::string>& variables = {});

[[nodiscard]] std::string read_file(const std::string& path);

/// Names of the collectors that count every executed instruction, as on the command line.
[[nodiscard]] std::vector<std::string> exact_engines();

/// Paths in the build tree.
[[nodiscard]] std::string bops_program();
[[nodiscard]] std::string target_program(const std::string& name);  ///< of tests/programs
[[nodiscard]] std::string known_asm_program(const std::string& name);

}  // namespace bops::harness

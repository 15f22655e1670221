// The note that an engine was found to work: checking it takes longer than many a program runs.
#pragma once

#include <string>
#include <vector>

namespace bops::exact {

/// Holds for this user, for the same files (device, inode, size, times), until the machine is
/// started again, under as many seccomp filters, and while memory is granted as it was: what may
/// make an engine fail that worked. It may fail all the same; then the run says so.
class EngineNote {
 public:
  explicit EngineNote(const std::vector<std::string>& files);

  [[nodiscard]] bool is_there() const;
  /// What cannot be written is not there next time.
  void write() const;
  void remove() const;

 private:
  std::string path_;  // empty: there is no state directory
  std::string text_;  // empty: something that it depends on cannot be found out
};

}  // namespace bops::exact

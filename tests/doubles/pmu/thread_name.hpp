// The names that a thread takes, known also after it has ended.
#pragma once

#include <sys/types.h>

#include <string>

namespace bops::pmu_double {

/// The kernel tells each new name in a ring buffer of a software event that belongs to the thread,
/// which stays readable. Takes one descriptor and two pages.
class ThreadName {
 public:
  /// `name` is what /proc says, until the first change.
  explicit ThreadName(pid_t tid);
  ThreadName(const ThreadName&) = delete;
  ThreadName& operator=(const ThreadName&) = delete;
  ~ThreadName();

  [[nodiscard]] const std::string& last();

 private:
  void take_records();

  pid_t tid_;
  std::string name_;
  int fd_ = -1;
  void* ring_ = nullptr;
};

}  // namespace bops::pmu_double

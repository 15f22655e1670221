#include "session/run_control.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace bops {
namespace {

constexpr mode_t kPrivate = 0600;
constexpr std::size_t kLongestLine = 4096;

}  // namespace

RunControl::RunControl(RunControl&& other) noexcept
    : timer_(std::move(other.timer_)),
      fifo_(std::move(other.fifo_)),
      made_(std::exchange(other.made_, {})),
      line_(std::move(other.line_)) {}

RunControl::~RunControl() {
  if (!made_.empty()) ::unlink(made_.c_str());
}

Result<RunControl> RunControl::open(const std::string& fifo, std::chrono::nanoseconds delay) {
  RunControl control;
  if (delay.count() > 0) {
    constexpr std::int64_t kNsPerSecond = 1'000'000'000;
    control.timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    const itimerspec once{{0, 0}, {delay.count() / kNsPerSecond, delay.count() % kNsPerSecond}};
    if (!control.timer_ || ::timerfd_settime(control.timer_.get(), 0, &once, nullptr) != 0)
      return failure(std::string("cannot make a timer for --delay: ") + std::strerror(errno),
                     "raise the limit of open files (ulimit -n)");
  }
  if (fifo.empty()) return control;
  if (::mkfifo(fifo.c_str(), kPrivate) == 0)
    control.made_ = fifo;
  else if (errno != EEXIST)
    return failure("cannot make the FIFO " + fifo + ": " + std::strerror(errno),
                   "name one in a directory that you can write to");
  // Open for writing as well, so that there never is no writer, which would be an end of file.
  control.fifo_.reset(::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!control.fifo_ || ::fstat(control.fifo_.get(), &status) != 0 || !S_ISFIFO(status.st_mode))
    return failure("--control " + fifo + " is not a FIFO that bops can open",
                   "make one: mkfifo " + fifo);
  return control;
}

std::vector<Watched> RunControl::watched(const ControlActions& actions) {
  std::vector<Watched> all;
  if (timer_)
    all.push_back({timer_.get(), [this, &actions] {
                     std::uint64_t times = 0;
                     if (::read(timer_.get(), &times, sizeof(times)) == sizeof(times))
                       actions.start();
                   }});
  if (fifo_) all.push_back({fifo_.get(), [this, &actions] { read_lines(actions); }});
  return all;
}

void RunControl::read_lines(const ControlActions& actions) {
  std::array<char, 512> block{};
  const ssize_t got = ::read(fifo_.get(), block.data(), block.size());
  if (got <= 0) return;
  for (const char character : std::string_view(block.data(), static_cast<std::size_t>(got))) {
    if (character != '\n') {
      if (line_.size() < kLongestLine) line_ += character;
      continue;
    }
    const std::string line = std::exchange(line_, {});
    if (line == "start") actions.start();
    if (line == "stop") actions.stop();
    if (line == "snapshot") actions.snapshot();
  }
}

}  // namespace bops

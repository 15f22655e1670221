#include "session/snapshots.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <utility>

#include "platform/clock.hpp"
#include "platform/files.hpp"
#include "report/json.hpp"
#include "report/missing.hpp"

namespace bops {
namespace {

constexpr const char* kName = "snapshot.json";
constexpr const char* kFinalName = "record.json";
constexpr std::uint64_t kPeriodNs = 1'000'000'000;
constexpr std::uint64_t kShareOfTime = 50;  ///< one part in

bool set_timer(int timer, std::uint64_t from_now_ns) {
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  const itimerspec once{{0, 0},
                        {static_cast<time_t>(from_now_ns / kNsPerSecond),
                         static_cast<long>(from_now_ns % kNsPerSecond)}};
  return ::timerfd_settime(timer, 0, &once, nullptr) == 0;
}

Result<std::optional<RunRecord>> read_record(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return std::optional<RunRecord>();
  const auto text = read_file_whole(path);
  if (!text) return tl::unexpected(text.error());
  auto record = from_json(*text);
  if (!record) return failure(path + ": " + record.error().message, record.error().remedy);
  return std::optional<RunRecord>(*std::move(record));
}

}  // namespace

Result<Snapshots> Snapshots::open(const std::string& directory_path, State state) {
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer || !set_timer(timer.get(), kPeriodNs))
    return failure("cannot make a timer: " + std::generic_category().message(errno),
                   "raise the limit of open files (ulimit -n)");
  return Snapshots(std::move(timer), directory_path + "/" + kName, std::move(state));
}

Watched Snapshots::watched() {
  return {timer_.get(), [this] {
            std::uint64_t times = 0;
            if (::read(timer_.get(), &times, sizeof(times)) == sizeof(times)) take();
          }};
}

void Snapshots::take() {
  const std::uint64_t begin_ns = mono_ns();
  if (auto record = state_()) {
    explain_missing_numbers(*record);
    // In the place of the one before: there is a whole one at any time.
    const std::string fresh = path_ + ".new";
    if (write_file_whole(fresh, render_json_line(*record), 0600))
      (void)std::rename(fresh.c_str(), path_.c_str());
  }
  set_timer(timer_.get(), std::max(kPeriodNs, kShareOfTime * (mono_ns() - begin_ns)));
}

Result<void> keep_record(const std::string& directory_path, const RunRecord& record) {
  return write_file_whole(directory_path + "/" + kFinalName, render_json_line(record), 0600);
}

Result<std::optional<RunRecord>> kept_record(const std::string& directory_path) {
  return read_record(directory_path + "/" + kFinalName);
}

Result<std::optional<RunRecord>> last_snapshot(const std::string& directory_path) {
  return read_record(directory_path + "/" + kName);
}

}  // namespace bops

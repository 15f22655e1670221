#include "session/counting_window.hpp"

#include <utility>

namespace bops {
namespace {

template <class Row>
auto key_of(const Row& row) {
  if constexpr (requires { row.tid; })
    return std::tuple(row.pid, row.tid, row.start_ns);
  else
    return std::tuple(row.pid, pid_t{0}, row.start_ns);
}

const Counts* find(const std::map<std::tuple<pid_t, pid_t, std::uint64_t>, Counts>& rows,
                   const std::tuple<pid_t, pid_t, std::uint64_t>& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? nullptr : &found->second;
}

}  // namespace

CountingWindow::Sums CountingWindow::sums_of(const RunCounts& counts) {
  Sums sums;
  for (const ThreadCounts& thread : counts.threads) sums.rows[key_of(thread)] = thread.counts;
  for (const ProcessCounts& process : counts.processes) sums.rows[key_of(process)] = process.counts;
  sums.cycles = counts.cycles.value_or(0);
  return sums;
}

void CountingWindow::open(const RunCounts& now) {
  if (std::exchange(is_open_, true)) return;
  Sums sums = sums_of(now);
  for (auto& [key, counts] : sums.rows) {
    if (const Counts* closed = find(at_close_.rows, key)) counts -= *closed;
    const auto [place, is_new] = outside_.rows.try_emplace(key, counts);
    if (!is_new) place->second += counts;
  }
  outside_.cycles += sums.cycles - at_close_.cycles;
}

void CountingWindow::close(const RunCounts& now) {
  if (!std::exchange(is_open_, false)) return;
  was_closed_ = true;
  at_close_ = sums_of(now);
}

RunCounts CountingWindow::inside(RunCounts now) const {
  if (!was_closed_) return now;
  const auto take_out = [this](auto& row) {
    const auto key = key_of(row);
    if (!is_open_) {
      const Counts* closed = find(at_close_.rows, key);
      if (closed != nullptr)
        row.counts = *closed;
      else
        row.counts -= Counts(row.counts);
    }
    if (const Counts* outside = find(outside_.rows, key)) row.counts -= *outside;
  };
  for (ThreadCounts& thread : now.threads) take_out(thread);
  for (ProcessCounts& process : now.processes) take_out(process);
  if (now.cycles) *now.cycles = (is_open_ ? *now.cycles : at_close_.cycles) - outside_.cycles;
  if (!now.images.empty() || !now.functions.empty() || !now.regions.empty())
    now.warnings.push_back(
        {"parts_not_measured", "images, functions and regions are not known for a part of a run"});
  now.images.clear();
  now.instruments.clear();
  now.functions.clear();
  now.regions.clear();
  now.warnings.push_back({"counted_in_part",
                          "counted only while --delay and --control let it: the numbers are of "
                          "that part of the run, wall_ns and rates of all of it"});
  return now;
}

}  // namespace bops

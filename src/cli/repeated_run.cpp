#include "cli/repeated_run.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "report/repeat.hpp"

namespace bops {
namespace {

bool was_cut_short(const FinishedRun& run) {
  return run.interrupted || run.record.exit.signal.has_value();
}

bool has_failed(const RunRecord& record) {
  return record.exit.code.value_or(0) != 0;
}

/// Takes a run that was cut short out of `records`, unless there is no other.
std::string leave_out_last(std::vector<RunRecord>& records, const FinishedRun& last,
                           std::uint32_t times) {
  std::string notice = "run " + std::to_string(records.size()) + " of " + std::to_string(times) +
                       (last.record.exit.signal ? " was killed" : " was interrupted") +
                       ": it was the last";
  if (records.size() == 1) return notice + ", and mean and spread are of it alone";
  records.pop_back();
  return notice + ", and mean and spread are of the " + std::to_string(records.size()) + " before";
}

std::string failed_notice(const std::vector<RunRecord>& records, std::size_t failed,
                          const RunRecord& first_failed) {
  return std::to_string(failed) + " of " + std::to_string(records.size()) +
         " runs failed, the first of them with status " + std::to_string(*first_failed.exit.code) +
         "; mean and spread are of all runs";
}

}  // namespace

Result<RepeatedRun> run_repeatedly(std::uint32_t times,
                                   const std::function<Result<FinishedRun>()>& run_once) {
  std::vector<RunRecord> records;
  std::optional<FinishedRun> last;
  while (records.size() < times && !(last && was_cut_short(*last))) {
    last.reset();
    auto run = run_once();
    if (!run) return tl::unexpected(run.error());
    records.push_back(run->record);
    last.emplace(std::move(*run));
  }
  const ExitStatus exit = last->record.exit;
  RepeatedRun result{*std::move(last), exit, {}};
  if (times == 1) return result;
  RunRecord& record = result.last.record;
  for (const RunRecord& one : records)
    record.counts.quality = poorer(record.counts.quality, one.counts.quality);
  const auto warn = [&](const char* code, std::string text) {
    if (!result.notice.empty()) result.notice += "; ";
    result.notice += text;
    record.warnings.push_back({code, std::move(text)});
  };
  const bool cut_short = was_cut_short(result.last);
  if (cut_short) warn("repeat_cut_short", leave_out_last(records, result.last, times));
  const auto failed = std::count_if(records.begin(), records.end(), has_failed);
  const auto first = std::find_if(records.begin(), records.end(), has_failed);
  if (first != records.end()) {
    warn("runs_failed", failed_notice(records, static_cast<std::size_t>(failed), *first));
    if (!cut_short) result.exit = first->exit;
  }
  record.repeat = summarise(records);
  return result;
}

}  // namespace bops

#include "usage/verify.hpp"

#include <algorithm>
#include <utility>

#include "usage/digest.hpp"
#include "usage/usage_record.hpp"

namespace bops {
namespace {

std::string lines_text(std::uint64_t lines) {
  return std::to_string(lines) + (lines == 1 ? " line" : " lines");
}

}  // namespace

void ChainVerifier::add_problem(LinePlace place, std::string message) {
  problems_.push_back({std::move(place), std::move(message)});
}

void ChainVerifier::blame(Chain& chain, LinePlace place, std::string message) {
  if (!std::exchange(chain.broken, true)) add_problem(std::move(place), std::move(message));
}

void ChainVerifier::add_checkpoint(const LinePlace& place, std::string_view line,
                                   bool last_incomplete, bool must_have_records) {
  auto checkpoint = parse_checkpoint_line(line);
  if (!checkpoint) {
    if (last_incomplete)
      notes_.push_back({place, "the last checkpoint was not written to its end"});
    else
      add_problem(place, "not a checkpoint: " + checkpoint.error().message);
    return;
  }
  if (const auto valid = check_signature(*checkpoint, trusted_); !valid) {
    refusal_ = valid.error().message;
    return add_problem(place, "a checkpoint that proves nothing: " + refusal_);
  }
  Chain& chain = chains_[checkpoint->origin];
  chain.must_have_records |= must_have_records;
  if (must_have_records || chain.checkpoint_place.file.empty()) chain.checkpoint_place = place;
  const auto [same, is_new] = chain.checkpoints.try_emplace(checkpoint->lines, *checkpoint);
  if (is_new) return;
  if (same->second.head != checkpoint->head)
    add_problem(place, "two signed checkpoints of " + lines_text(checkpoint->lines) +
                           " name different last lines");
  same->second.final |= checkpoint->final;
}

void ChainVerifier::hold_against_checkpoint(Chain& chain) {
  const auto checkpoint = chain.checkpoints.find(chain.count);
  if (checkpoint == chain.checkpoints.end()) return;
  const bool same = checkpoint->second.head == chain.last_hash;
  if (chain.suspected)
    return blame(chain, same ? chain.before_last : chain.last,
                 "the line is not the one that was chained and signed");
  if (!same) {
    // Was this line changed, or were all rewritten up to it? The next line can tell.
    chain.signed_hash = checkpoint->second.head;
    return;
  }
  chain.vouched = chain.count;
  chain.open_from = {};
}

void ChainVerifier::blame_unsigned(Chain& chain, std::string_view next_prev) {
  if (next_prev == chain.last_hash)
    return blame(chain, chain.open_from,
                 "the chain from here on is not the one of the signed checkpoint of " +
                     lines_text(chain.count) + ": rewritten without its key");
  blame(chain, chain.last,
        next_prev.empty() && chain.open_from != chain.last
            ? "the line is not the one that was signed, or all from line " +
                  std::to_string(chain.open_from.line) + " on were rewritten without the key"
            : "the line is not the one that was chained and signed");
}

void ChainVerifier::add_line(const LinePlace& place, std::string_view line, bool incomplete) {
  if (incomplete)
    return notes_.push_back({place, "the line was not written to its end: it is no record"});
  const auto record = parse_usage_line(line);
  if (!record) return add_problem(place, "not a usage record: " + record.error().message);
  const std::string& source = record->key.source;
  if (!source.starts_with(expected_))
    return add_problem(place, "a record of another source: " + source);
  Chain& chain = chains_[source];
  if (chain.broken) return;
  const std::string hash = sha256_hex(line);
  if (chain.suspected)
    return blame(chain, record->prev == chain.last_hash ? chain.before_last : chain.last,
                 "the line is not the one that was chained");
  if (!chain.signed_hash.empty()) return blame_unsigned(chain, record->prev);
  if (!record->seq) return blame(chain, place, "the record is in no chain");
  if (*record->seq > chain.count)
    return blame(chain, place,
                 lines_text(*record->seq - chain.count) + " of " + source +
                     " missing before this one: number " + std::to_string(*record->seq) +
                     " where " + std::to_string(chain.count) + " was to come");
  if (*record->seq < chain.count)
    return blame(chain, place,
                 "number " + std::to_string(*record->seq) + " of " + source + " again, where " +
                     std::to_string(chain.count) + " was to come");
  if (record->key.id != std::to_string(*record->seq))
    return blame(chain, place, "the id is not the number in the chain");
  if (record->prev != chain.last_hash) {
    // Either this line was changed or the one before: the next line, or a checkpoint, can tell.
    if (chain.vouched == chain.count)
      return blame(chain, place, "the line does not follow the one before it");
    chain.suspected = true;
  }
  chain.before_last = std::exchange(chain.last, place);
  if (chain.open_from.line == 0) chain.open_from = place;
  chain.last_hash = hash;
  ++chain.count;
  hold_against_checkpoint(chain);
}

void ChainVerifier::close(const std::string& source, Chain& chain, VerifyReport& report) {
  const bool any = chain.count > 0;
  if (!any && !chain.broken && !chain.must_have_records) return;  // of a file that was not given
  if (chain.suspected) blame(chain, chain.before_last, "this line or the next was changed");
  if (!chain.signed_hash.empty()) blame_unsigned(chain, "");
  if (chain.checkpoints.empty())
    blame(chain, chain.open_from,
          "no signed checkpoint vouches for " + source + (refusal_.empty() ? "" : ": " + refusal_));
  SourceVerdict verdict{source, chain.count, chain.vouched, false, true, chain.open_from};
  if (!chain.checkpoints.empty()) {
    const Checkpoint& last = chain.checkpoints.rbegin()->second;
    if (last.lines > chain.count) {
      LinePlace place = any ? chain.last : chain.checkpoint_place;
      if (any) ++place.line;
      blame(chain, place,
            source + " is truncated: " + lines_text(chain.count) + " of the " +
                std::to_string(last.lines) + " of its last checkpoint");
    }
    for (const auto& [lines, checkpoint] : chain.checkpoints)
      if (checkpoint.final && (lines < chain.count || lines < last.lines))
        blame(chain, chain.open_from, "lines behind the closing checkpoint of " + source);
    verdict.closed = last.final;
  }
  verdict.right = !chain.broken;
  report.sources.push_back(std::move(verdict));
}

VerifyReport ChainVerifier::finish() {
  VerifyReport report;
  for (auto& [source, chain] : chains_) close(source, chain, report);
  report.problems = std::move(problems_);
  report.notes = std::move(notes_);
  std::stable_sort(report.problems.begin(), report.problems.end(),
                   [](const ChainProblem& a, const ChainProblem& b) { return a.place < b.place; });
  return report;
}

}  // namespace bops

#include "usage/written_chain.hpp"

#include <algorithm>
#include <string_view>

#include "usage/digest.hpp"
#include "usage/ledger.hpp"
#include "usage/line_reader.hpp"
#include "usage/records_files.hpp"
#include "usage/summary.hpp"

namespace bops {
namespace {

/// How many lines the checkpoints of a source say that it has, and the last of these.
using Heads = std::map<std::uint64_t, std::string>;

class ChainReader {
 public:
  explicit ChainReader(const std::string& source) : source_(source) {}

  void add_checkpoint(const Checkpoint& checkpoint) {
    if (checkpoint.origin != source_) return;
    heads_[checkpoint.lines] = checkpoint.head;
    chain_.closed |= checkpoint.final;
  }

  Result<void> add_line(const std::string& place, std::string_view line) {
    const auto record = parse_usage_line(line);
    if (!record || record->key.source != source_) return {};
    if (record->seq != chain_.lines || record->prev != chain_.head) return broken(place);
    ++chain_.lines;
    chain_.head = sha256_hex(line);
    if (const auto head = heads_.find(chain_.lines);
        head != heads_.end() && head->second != chain_.head)
      return broken(place);
    chain_.end = std::max(chain_.end, record->end);
    if (!record->is_reversal())
      chain_.sums[{record->subject, record->meter, text_of_field(record->resource, "gpu.uuid")}] +=
          static_cast<std::int64_t>(record->quantity);
    return {};
  }

  Result<WrittenChain> finish(const std::string& target) {
    if (heads_.empty())
      return failure("the usage records of the run are gone from " + target,
                     "bring them back, with their checkpoints");
    if (heads_.rbegin()->first > chain_.lines)
      return failure("the usage records in " + target + " end behind " +
                         std::to_string(chain_.lines) + " lines of the run, its checkpoint has " +
                         std::to_string(heads_.rbegin()->first),
                     "bops usage verify tells more");
    return std::move(chain_);
  }

 private:
  static Result<void> broken(const std::string& place) {
    return failure(
        place + ": this line, or the one before, is not the one that was chained and signed",
        "bops usage verify tells more");
  }
  const std::string& source_;
  Heads heads_;
  WrittenChain chain_;
};

Result<void> read_files(const std::string& target, const std::string& source, ChainReader& reader) {
  std::string file = target;
  if (is_directory(file)) file += "/" + run_of_source(source) + kRecordsSuffix;
  const auto checkpoints =
      for_each_line(checkpoints_beside(file), kMaxLineSize, [&](const Line& line) {
        if (const auto checkpoint = parse_checkpoint_line(line.text))
          reader.add_checkpoint(*checkpoint);
        return Result<void>();
      });
  if (!checkpoints) return tl::unexpected(checkpoints.error());
  return for_each_line(file, kMaxLineSize, [&](const Line& line) {
    // What was not written to its end is no record.
    if (!line.complete) return Result<void>();
    return reader.add_line(file + ", line " + std::to_string(line.number), line.text);
  });
}

Result<void> read_ledger(const std::string& where, const std::string& source, ChainReader& reader) {
  const auto ledger = Ledger::open(where, false);
  if (!ledger) return tl::unexpected(ledger.error());
  const auto checkpoints = (*ledger)->checkpoints();
  if (!checkpoints) return tl::unexpected(checkpoints.error());
  for (const Checkpoint& checkpoint : *checkpoints) reader.add_checkpoint(checkpoint);
  return (*ledger)->for_each_in_chain(source, [&](const StoredRecord& stored) {
    return reader.add_line("record " + std::to_string(stored.n) + " of the ledger", stored.line);
  });
}

}  // namespace

Result<WrittenChain> read_written_chain(const std::string& target, const std::string& source) {
  ChainReader reader(source);
  const auto read = names_ledger(target) ? read_ledger(target, source, reader)
                                         : read_files(target, source, reader);
  if (!read) return tl::unexpected(read.error());
  return reader.finish(target);
}

}  // namespace bops

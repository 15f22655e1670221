// The files that rating reads, and what is said about them on stderr.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "usage/rating/rate.hpp"

namespace bops {

/// What was left out so far; each is named on stderr as it is met.
struct LeftOut {
  std::uint64_t records = 0;
  std::uint64_t packages = 0;
  [[nodiscard]] bool anything() const { return records + packages > 0; }
};

/// Reads the files of one rating, "-" being stdin. Errors name the file and the line.
class RatingFiles {
 public:
  /// The time that TEXT says, in seconds or as a date.
  [[nodiscard]] Result<std::optional<RatingTime>> time(const std::string& option,
                                                       const std::string& text);
  /// `where` is a file, a directory of .jsonl files, "-" or a ledger, which says when it received
  /// each record. Names quarantined records on stderr, one line each.
  [[nodiscard]] Result<SelectedUse> records(const std::string& where,
                                            std::optional<RatingTime> cutoff);
  /// Either path may be empty: none.
  [[nodiscard]] Result<Terms> terms(const std::string& packages, const std::string& prices);
  [[nodiscard]] Result<Lines> lines(const std::string& path);

  /// How the times of all that was read are written.
  [[nodiscard]] TimeForm form() const { return form_.value_or(TimeForm::kDated); }
  [[nodiscard]] const LeftOut& left_out() const { return left_out_; }

 private:
  [[nodiscard]] Result<void> read_file(const std::string& path, UseSelection& selection);
  [[nodiscard]] Result<void> read_ledger(const std::string& where, UseSelection& selection);

  std::optional<TimeForm> form_;
  LeftOut left_out_;
};

/// One line on stderr for each account whose use is in no line.
void warn_unrated(const std::vector<UnratedUse>& unrated);

}  // namespace bops

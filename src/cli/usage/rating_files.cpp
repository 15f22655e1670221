#include "cli/usage/rating_files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "report/escape.hpp"
#include "usage/ledger.hpp"
#include "usage/rating/fields.hpp"
#include "usage/rating/read_records.hpp"
#include "usage/rating/read_terms.hpp"
#include "usage/records_files.hpp"

namespace bops {
namespace {

tl::unexpected<Error> in_file(const std::string& path, const Error& error) {
  return tl::unexpected<Error>(Error{path + ": " + error.message, error.remedy, error.kind});
}

/// Calls `read` with the content of the file; its failure is said to be the file's.
template <class T>
Result<T> with_file(const std::string& path, const std::function<Result<T>(std::istream&)>& read) {
  std::ifstream file;
  if (path != "-") {
    if (is_directory(path)) return failure(path + " is a directory");
    file.open(path, std::ios::binary);
    if (!file) return failure("cannot read " + path + ": " + std::strerror(errno));
  }
  auto result = read(path == "-" ? std::cin : file);
  if (!result) return in_file(path, result.error());
  if (file.bad()) return failure("cannot read " + path);
  return result;
}

void say_left_out(const std::string& path, std::uint64_t line, const Error& error) {
  std::cerr << "bops: quarantined: " << printable(path) << " line " << line << ": "
            << printable(error.message);
  if (!error.remedy.empty()) std::cerr << " (" << printable(error.remedy) << ')';
  std::cerr << '\n';
}

/// ["h1","a"], in ASCII
std::string shown(const UsageKey& key) {
  using Json = nlohmann::json;
  return Json{key.source, key.id}.dump(-1, ' ', true, Json::error_handler_t::replace);
}

void say_selected(const SelectedUse& selected) {
  for (const Quarantined& each : selected.quarantined)
    std::cerr << "bops: quarantined: " << kind_of(each.reason) << ' ' << shown(each.key) << ": "
              << explain(each.reason) << '\n';
  for (const UsageKey& key : selected.waiting)
    std::cerr << "bops: note: " << shown(key) << " is reversed, but is not among the records\n";
}

}  // namespace

Result<std::optional<RatingTime>> RatingFiles::time(const std::string& option,
                                                    const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto time = parse_rating_time(text, form_);
  if (!time) return failure(option + ": " + time.error().message, time.error().remedy);
  return *time;
}

Result<void> RatingFiles::read_file(const std::string& path, UseSelection& selection) {
  const RecordSink sink{[&](const RatingRecord& record) { selection.add(record); },
                        [&](std::uint64_t line, const Error& error) {
                          ++left_out_.records;
                          say_left_out(path, line, error);
                        }};
  return with_file<void>(
      path, [&](std::istream& text) { return read_rating_records(text, form_, sink); });
}

Result<void> RatingFiles::read_ledger(const std::string& where, UseSelection& selection) {
  if (form_.value_or(TimeForm::kDated) != TimeForm::kDated)
    return failure("records of a ledger have dates, the other times are seconds",
                   "write all times as dates: 2026-11-22T19:00:00Z");
  form_ = TimeForm::kDated;
  const auto ledger = Ledger::open(where, false);
  if (!ledger) return tl::unexpected(ledger.error());
  return (*ledger)->for_each([&](const StoredRecord& stored) -> Result<void> {
    if (stored.rejected) return {};
    const auto usage = parse_usage_line(stored.line);
    if (!usage)
      return failure(where + ": record " + std::to_string(stored.n) +
                         " cannot be read: " + usage.error().message,
                     "the ledger was changed by something else, or by a later bops");
    RatingRecord record = rating_record(*usage, stored.line);
    record.received = stored.received;
    selection.add(record);
    return {};
  });
}

Result<SelectedUse> RatingFiles::records(const std::string& where,
                                         std::optional<RatingTime> cutoff) {
  UseSelection selection(cutoff);
  if (where != "-" && names_ledger(where)) {
    if (auto read = read_ledger(where, selection); !read) return tl::unexpected(read.error());
  } else {
    const Result<std::vector<std::string>> files =
        is_directory(where) ? records_files(where) : std::vector<std::string>{where};
    if (!files) return tl::unexpected(files.error());
    for (const std::string& file : *files)
      if (auto read = read_file(file, selection); !read) return tl::unexpected(read.error());
  }
  SelectedUse selected = selection.finish();
  left_out_.records += selected.quarantined.size();
  say_selected(selected);
  return selected;
}

Result<Terms> RatingFiles::terms(const std::string& packages, const std::string& prices) {
  Terms terms;
  if (!packages.empty()) {
    auto read = with_file<std::vector<Package>>(packages, [&](std::istream& text) {
      return read_packages(text, form_, [&](std::uint64_t line, const Error& error) {
        ++left_out_.packages;
        say_left_out(packages, line, error);
      });
    });
    if (!read) return tl::unexpected(read.error());
    terms.packages = *std::move(read);
  }
  if (!prices.empty()) {
    auto read = with_file<std::vector<Price>>(
        prices, [&](std::istream& text) { return read_prices(text, form_); });
    if (!read) return tl::unexpected(read.error());
    terms.prices = *std::move(read);
  }
  terms.form = form();
  return terms;
}

Result<Lines> RatingFiles::lines(const std::string& path) {
  return with_file<Lines>(path, [&](std::istream& text) { return read_lines(text, form_); });
}

void warn_unrated(const std::vector<UnratedUse>& unrated) {
  for (const UnratedUse& each : unrated) {
    std::cerr << "bops: not rated: " << each.quantity << " units of "
              << (each.account.meter.empty() ? "use" : printable(each.account.meter));
    if (!each.account.tenant.empty()) std::cerr << " of tenant " << printable(each.account.tenant);
    std::cerr << " in " << each.records << " records: " << each.reason << '\n';
  }
}

}  // namespace bops

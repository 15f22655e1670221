#include "validate/claims.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace bops::validate {
namespace {

/// Collects the numbers of one claim.
class Judge {
 public:
  Judge(std::size_t claim, double bound) : bound_(bound) {
    verdict_.claim = kClaims[claim].name;
    verdict_.says = kClaims[claim].says;
  }

  void wrong(const std::string& where, const std::vector<std::string>& expectations) {
    for (const std::string& expectation : expectations)
      add_once(verdict_.offenders, std::string(where).append(": ").append(expectation));
  }

  void missing(const std::string& where, const std::string& reason) {
    missing_ = true;
    verdict_.remarks.push_back("not measured: " + where + ": " + reason);
  }

  void number(const std::string& where, const Interval& error) {
    const double size = std::fabs(error.mean);
    ++verdict_.judged;
    if (!verdict_.worst || size > std::fabs(*verdict_.worst)) {
      verdict_.worst = error.mean;
      verdict_.worst_where = where;
    }
    if (!(size <= bound_))
      verdict_.offenders.push_back(where + ' ' + error_text(error.mean));
    else if (error.half_width && size + *error.half_width > bound_)
      verdict_.remarks.push_back("not settled by these seeds: " + where + ' ' +
                                 error_text(error.mean) + " +/- " + error_text(*error.half_width));
  }

  /// bops would say of this input that the factor may not carry over: neither for nor against it.
  void warned(const std::string& where, double error) {
    ++verdict_.warned;
    verdict_.remarks.push_back("mix moved, not covered: " + where + ' ' + error_text(error));
  }

  void shown(const std::string& where, double error) {
    if (std::fabs(error) > bound_)
      verdict_.remarks.push_back("not judged, outside: " + where + ' ' + error_text(error));
  }

  [[nodiscard]] Verdict verdict() {
    if (!verdict_.offenders.empty())
      verdict_.judgement = Judgement::kFails;
    else if (verdict_.judged == 0 || missing_)
      verdict_.judgement = Judgement::kNotMeasured;
    else
      verdict_.judgement = Judgement::kHolds;
    return verdict_;
  }

 private:
  static void add_once(std::vector<std::string>& list, const std::string& text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
  }

  double bound_;
  bool missing_ = false;
  Verdict verdict_;
};

std::string where(const Row& row) {
  return row.kernel + " " + row.build;
}

Verdict judge_formula(std::size_t claim, const std::vector<Row>& rows, double bound,
                      const std::vector<std::string>* builds) {
  Judge judge(claim, bound);
  for (const Row& row : rows) {
    if (builds != nullptr && std::find(builds->begin(), builds->end(), row.build) == builds->end())
      continue;
    judge.wrong(where(row), row.wrong);
    if (row.judged && !row.missing.empty()) judge.missing(where(row), row.missing);
    if (!row.missing.empty()) continue;
    if (row.judged)
      judge.number(where(row), row.error);
    else if (builds != nullptr)
      judge.shown(where(row), row.error.mean);
  }
  return judge.verdict();
}

Verdict judge_calibrated(const Validation& validation, double bound) {
  Judge judge(2, bound);
  for (const CalibrationRow& row : validation.calibrations) {
    const std::string place = row.kernel + " " + row.build + " " + row.input;
    if (!row.missing.empty())
      judge.missing(place, row.missing);
    else if (row.judged())
      judge.number(place, {row.drift, std::nullopt});
    else
      judge.warned(place, row.drift);
  }
  return judge.verdict();
}

Verdict judge_decoded(const Validation& validation, double bound) {
  Judge judge(3, bound);
  for (const DecodedRow& decoded : validation.decoded) {
    const Row& row = decoded.row;
    const std::string place = where(row) + " (" + decoded.rules + ")";
    if (row.judged) judge.wrong(place, row.wrong);
    if (row.missing.empty() && row.decoded_error) {
      if (row.judged)
        judge.number(place, *row.decoded_error);
      else
        judge.shown(place, row.decoded_error->mean);
    } else if (row.judged) {
      judge.missing(place, row.missing.empty() ? "no exact engine decodes here" : row.missing);
    }
  }
  return judge.verdict();
}

}  // namespace

std::string error_text(double error) {
  std::array<char, 40> text{};
  const double percents = error * 100;
  const char* format = std::fabs(percents) < 0.095 && percents != 0 ? "%+.2f %%" : "%+.1f %%";
  (void)std::snprintf(text.data(), text.size(), format, percents);
  return text.data();
}

std::vector<Verdict> judge(const Validation& validation, const Rules& rules, double bound) {
  return {judge_formula(0, validation.rows, bound, &rules.reference_builds),
          judge_formula(1, validation.rows, bound, nullptr), judge_calibrated(validation, bound),
          judge_decoded(validation, bound)};
}

const Verdict* find_verdict(const std::vector<Verdict>& verdicts, std::string_view claim) {
  for (const Verdict& verdict : verdicts)
    if (verdict.claim == claim) return &verdict;
  return nullptr;
}

std::string_view to_string(Judgement judgement) {
  switch (judgement) {
    case Judgement::kHolds: return "holds";
    case Judgement::kFails: return "fails";
    case Judgement::kNotMeasured: break;
  }
  return "not measured";
}

}  // namespace bops::validate

// bops usage rate, for verbs that rate as a part of what they do.
#pragma once

#include <string>

namespace bops {

struct RateOptions {
  std::string records;
  std::string packages;
  std::string prices;
  std::string boundary = "exact";
  std::string cutoff;
  std::string previous;
  std::string format = "json";
  std::string output = "-";
  std::string provider = "bops";
  std::string invoiced_until;
  bool charge_unknown_error = false;
  bool strict = false;
};

/// The exit status. What is left out, and why it failed, goes to stderr.
int rate_usage(const RateOptions& options);

}  // namespace bops

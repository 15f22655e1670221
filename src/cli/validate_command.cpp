// bops validate: how far the counts agree with what the source of known kernels asks for.
#include <unistd.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/cli.hpp"
#include "cli/validate_bench.hpp"
#include "cli/validate_gpu.hpp"
#include "platform/files.hpp"
#include "platform/host_identity.hpp"
#include "platform/programs.hpp"
#include "report/escape.hpp"
#include "report/format.hpp"
#include "report/markdown.hpp"
#include "report/text.hpp"
#include "validate/claims.hpp"
#include "validate/describe.hpp"

namespace bops {
namespace {

using validate::Judgement;

constexpr const char* kFooter = R"(
Claims, of which --claim names the one that decides:
  reference   the plain formula on the reference build
  anywhere    the plain formula on every build
  calibrated  one factor per kernel and build, carried to other sizes and thread counts, and to
              other distributions unless bops warns of their mix of instructions
  decoded     decoded operations against source operations on the builds that keep those
Every run prints the whole table and all verdicts. Sort, Stream and MatMul are judged, the hold-outs
shown. Kernels, builds, sizes, seeds and rules stand in share/bops/validation.json.

Exit status: 0: the claim holds within --bound; 1: it does not, and what is outside is named; 125:
bops failed, or could not measure what the claim needs.

Examples:
  bops validate --quick
  bops validate --claim anywhere --kernels stream,matmul -o validation.md)";

constexpr double kPercent = 100;
constexpr mode_t kReportMode = 0666;

struct Options {
  std::string claim = std::string(validate::kClaims.front().name);
  std::string rules;
  std::string collector = "auto";
  std::string workloads;
  std::string output = "-";
  std::string format;
  std::string colour = "auto";
  std::vector<std::string> kernels;
  std::optional<std::int64_t> size;
  double bound = 8;
  bool quick = false;
  bool gpu = false;
  bool paper_scale = false;
  bool json = false;
};

Result<validate::Rules> shipped_rules() {
  const auto path = find_data_file("validation.json");
  if (!path)
    return failure("the file validation.json is not in share/bops beside bops",
                   "build or install bops again: cmake --install build/release --prefix DIR");
  const auto text = read_file_whole(*path);
  if (!text) return tl::unexpected(text.error());
  return validate::read_rules(*text, *path);
}

/// By name from the shipped file, or from a file of the user's.
Result<validate::Weighting> chosen_weighting(const validate::Rules& rules,
                                             const std::string& name) {
  if (name.empty()) return rules.weightings.front();
  if (const auto* weighting = validate::find_weighting(rules, name)) return *weighting;
  std::string names;
  for (const auto& weighting : rules.weightings)
    names += (names.empty() ? "" : ", ") + weighting.name;
  const auto text = read_file_whole(name, kLargestDocument);
  if (!text)
    return failure("there are no rules " + name + ", nor a file of that name",
                   "choose from: " + names + "; or name a file {\"name\", \"weights\": {...}}");
  return validate::read_weighting(*text, name);
}

Result<std::string> format_name(const Options& options) {
  const auto format =
      format_for(options.output, options.json && options.format.empty() ? "json" : options.format);
  if (!format) return tl::unexpected(format.error());
  std::string name((*format)->name);
  if (name != "text" && name != "json" && name != "markdown")
    return failure("bops validate does not write " + name, "use text, json or markdown");
  return name;
}

Result<validate::Choices> choices_of(const Options& options, const validate::Rules& rules) {
  auto weighting = chosen_weighting(rules, options.rules);
  if (!weighting) return tl::unexpected(weighting.error());
  if (!(options.bound >= 0))
    return failure("--bound must not be negative", "write --bound 8 for 8 percent");
  return validate::Choices{options.quick, options.paper_scale,   options.kernels,
                           options.size,  std::move(*weighting), options.bound / kPercent};
}

int status_of(const validate::Verdict& verdict) {
  if (verdict.judgement == Judgement::kHolds) return 0;
  if (verdict.judgement == Judgement::kNotMeasured) {
    const std::string why =
        verdict.remarks.empty() ? "nothing that it judges was measured" : verdict.remarks.front();
    return report_error({"the claim " + verdict.claim + " was not measured: " + why,
                         "the report lists the builds and kernels there are",
                         FailureKind::kRefused});
  }
  std::cerr << "bops: the claim " << verdict.claim << " fails:\n";
  for (const std::string& offender : verdict.offenders)
    std::cerr << "      " << printable(offender) << '\n';
  return 1;
}

int run(const Options& options, Collectors collectors) {
  if (options.gpu) return validate_gpu(collectors, use_colour(options.colour, STDOUT_FILENO));
  const auto format = format_name(options);
  if (!format) return report_error(format.error());
  const auto rules = shipped_rules();
  if (!rules) return report_error(rules.error());
  const auto choices = choices_of(options, *rules);
  if (!choices) return report_error(choices.error());
  const auto bench = make_bench(collectors, options.collector, options.workloads);
  if (!bench) return report_error(bench.error());
  const auto validation = validate::validate(*rules, *choices, *bench);
  if (!validation) return report_error(validation.error());

  std::string text;
  if (*format == "json") {
    text = validate::to_json(*validation, *rules, *choices, *bench, options.claim,
                             read_host_identity())
               .dump(2, ' ', true) +
           '\n';
  } else {
    const Document document =
        validate::describe(*validation, *rules, *choices, *bench, options.claim);
    const bool colour = use_colour(options.colour, options.output == "-" ? STDOUT_FILENO : -1);
    text = *format == "text" ? document_text(document, colour) : document_markdown(document);
  }
  if (auto written = write_file_whole(options.output, text, kReportMode); !written)
    return report_error(written.error());
  return status_of(*validate::find_verdict(validation->verdicts, options.claim));
}

void add_options(CLI::App& command, Options& options) {
  std::vector<std::string> claims;
  claims.reserve(validate::kClaims.size());
  for (const validate::Claim& claim : validate::kClaims) claims.emplace_back(claim.name);
  command.add_option("--claim", options.claim, "The claim that decides the exit status")
      ->check(CLI::IsMember(claims))
      ->capture_default_str();
  command.add_option("--bound", options.bound, "Percent that an error may be")
      ->capture_default_str();
  command.add_option("--rules", options.rules,
                     "Another weighting of the source operations: a name in the shipped file, or a "
                     "file of yours");
  command.add_option("--kernels", options.kernels, "Only these, separated by commas")
      ->delimiter(',');
  command.add_option("--size", options.size, "Size of every kernel, instead of those of the file")
      ->check(positive_number());
  command
      .add_flag("--gpu", options.gpu,
                "Instead, profile the reference kernels of GPUs and hold them to their source")
      ->excludes("--claim");
  command.add_flag("--quick", options.quick, "Small sizes, one seed: some seconds");
  command.add_flag("--paper-scale", options.paper_scale,
                   "Estimate the published totals at the nearest plausible sizes");
  command.add_option("--collector", options.collector, "What is validated, as for bops run")
      ->capture_default_str();
  command.add_option("--workloads", options.workloads,
                     "Directory of bops-workload and workloads/ (default: that of bops)");
  command.add_option("-o,--output", options.output,
                     "Write to FILE (.txt .json .md) instead of stdout");
  command.add_option("--format", options.format, "text, json or markdown, whatever FILE is called");
  command.add_flag("--json", options.json, "As JSON (schema bops.validate.v1)");
  command.add_option("--color", options.colour, "Colour the text report")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  command.footer(kFooter);
}

}  // namespace

void add_validate_command(CLI::App& app, const Invocation& invocation) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "validate",
      "Count kernels of known work, and tell how far the formula is from their source.");
  add_options(*command, *options);
  command->callback(
      [options, &invocation] { throw CLI::RuntimeError(run(*options, invocation.collectors)); });
}

}  // namespace bops

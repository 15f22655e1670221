// bops usage verify: whether records are what was written.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/cli.hpp"
#include "cli/usage/usage_verbs.hpp"
#include "report/escape.hpp"
#include "usage/key_store.hpp"
#include "usage/ledger.hpp"
#include "usage/verify_files.hpp"

namespace bops {
namespace {

constexpr const char* kDescription =
    "Check records against their chain and signed checkpoints, with public keys only.";
constexpr const char* kFooter = R"(
PATH is a file of records, a directory of them, or a ledger. The checkpoints beside the records are
read; those of a second place, which show that records were cut off together with their checkpoints,
with --checkpoints. Lines behind the last checkpoint are the open interval: no one vouches for them
yet, which is no fault. Prints the first line that is wrong. Exit status: 0 all is as it was written, 1
something is wrong, 125 bops failed.)";

struct Options {
  std::vector<std::string> paths;
  std::vector<std::string> checkpoints;
  std::string trusted;
  std::string source;
  bool json = false;
};

nlohmann::ordered_json problems_json(const std::vector<ChainProblem>& problems) {
  auto list = nlohmann::ordered_json::array();
  for (const ChainProblem& problem : problems)
    list.push_back(
        {{"file", problem.place.file}, {"line", problem.place.line}, {"message", problem.message}});
  return list;
}

void print_json(const VerifyReport& report) {
  nlohmann::ordered_json json{{"schema", "bops.usage.verify.v1"},
                              {"right", report.problems.empty()},
                              {"problems", problems_json(report.problems)},
                              {"notes", problems_json(report.notes)},
                              {"sources", nlohmann::ordered_json::array()}};
  for (const SourceVerdict& source : report.sources)
    json["sources"].push_back({{"source", source.source},
                               {"right", source.right},
                               {"lines", source.lines},
                               {"vouched", source.vouched},
                               {"open", source.lines - source.vouched},
                               {"closed", source.closed}});
  std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

void print_text(const VerifyReport& report) {
  const auto print = [](const char* what, const ChainProblem& problem) {
    std::cout << what << printable(problem.place.file);
    if (problem.place.line > 0) std::cout << ", line " << problem.place.line;
    std::cout << ": " << printable(problem.message) << '\n';
  };
  for (const ChainProblem& problem : report.problems) print("wrong: ", problem);
  for (const ChainProblem& note : report.notes) print("note: ", note);
  for (const SourceVerdict& source : report.sources) {
    std::cout << (source.right ? "right: " : "wrong: ") << printable(source.source) << ", "
              << source.vouched << " of " << source.lines << " lines under signed checkpoints";
    if (source.right && source.lines > source.vouched)
      std::cout << "; open interval from " << printable(source.open_from.file) << ", line "
                << source.open_from.line;
    if (!source.closed) std::cout << "; no closing checkpoint: it was cut off, or still runs";
    std::cout << '\n';
  }
  if (report.sources.empty() && report.problems.empty()) std::cout << "no records\n";
}

int verify(const Options& options) {
  const auto trusted =
      TrustedKeys::read(options.trusted.empty() ? default_trusted_file() : options.trusted);
  if (!trusted)
    return report_error({trusted.error().message,
                         "name the file of trusted keys: --trusted FILE (bops usage keygen)"});
  const bool is_ledger = options.paths.size() == 1 && names_ledger(options.paths.front());
  const auto report =
      is_ledger
          ? verify_ledger(options.paths.front(), options.checkpoints, *trusted, options.source)
          : verify_files(options.paths, options.checkpoints, *trusted, options.source);
  if (!report) return report_error(report.error());
  options.json ? print_json(*report) : print_text(*report);
  return report->problems.empty() ? 0 : 1;
}

}  // namespace

void add_usage_verify(CLI::App& usage) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = usage.add_subcommand("verify", kDescription);
  verb->add_option("path", options->paths, "Records: files, directories, or a ledger")->required();
  verb->add_option("--checkpoints", options->checkpoints, "A second place of checkpoints (DIR)")
      ->allow_extra_args(false);
  verb->add_option("--trusted", options->trusted, "The file of trusted public keys");
  verb->add_option("--source", options->source,
                   "Records of a source that does not start so are wrong");
  verb->add_flag("--json", options->json, "Print JSON");
  verb->footer(kFooter);
  verb->callback([options] { throw CLI::RuntimeError(verify(*options)); });
}

}  // namespace bops

// bops usage keygen: a key that signs checkpoints.
#include <chrono>
#include <iostream>
#include <memory>

#include "cli/cli.hpp"
#include "cli/usage/usage_verbs.hpp"
#include "usage/host_source.hpp"
#include "usage/key_store.hpp"

namespace bops {
namespace {

constexpr const char* kDescription =
    "Make a key that signs the checkpoints of bops run --usage, and trust it.";
constexpr const char* kFooter = R"(
Writes the private key, which only you may read, to FILE, adds its public key to the file of trusted
keys, and prints that line: whoever verifies the records needs the line alone. To change keys, make
another key, and write the time of the change behind the old one (instead of "-") and as the first
time of the new one. Without a key, bops run --usage makes one.

Examples:
  bops usage keygen
  bops usage keygen -o /etc/bops/usage_key.pem --trusted /etc/bops/trusted_keys --to 2028-01-01T00:00:00Z)";

struct Options {
  std::string output = default_key_file();
  std::string trusted = default_trusted_file();
  std::string from;
  std::string to;
  std::string origin;
};

int keygen(const Options& options) {
  UtcNs from =
      std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  UtcNs to = TrustedKey::kNoEnd;
  for (auto [text, time] : {std::pair{&options.from, &from}, std::pair{&options.to, &to}}) {
    if (text->empty()) continue;
    const auto given = parse_utc(*text);
    if (!given) return report_error(given.error());
    *time = *given;
  }
  const std::string origin = options.origin.empty() ? host_source() : options.origin;
  const auto key = make_key(options.output, options.trusted, from, to, origin);
  if (!key) return report_error(key.error());
  std::cout << trusted_key_line(*key, "") << '\n';
  return 0;
}

}  // namespace

void add_usage_keygen(CLI::App& usage) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = usage.add_subcommand("keygen", kDescription);
  verb->add_option("-o,--output", options->output, "Write the private key to FILE, which is new")
      ->capture_default_str();
  verb->add_option("--trusted", options->trusted, "Add the public key to FILE")
      ->capture_default_str();
  verb->add_option("--from", options->from, "It is valid from this time on (UTC); now without it");
  verb->add_option("--to", options->to, "It is valid until this time (UTC); for ever without it");
  verb->add_option("--origin", options->origin,
                   "It may sign for sources that start so; those of this host without it");
  verb->footer(kFooter);
  verb->callback([options] { throw CLI::RuntimeError(keygen(*options)); });
}

}  // namespace bops

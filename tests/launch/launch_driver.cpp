// launch_driver [--pid-file F] [--report F] [--tick MS] [--follow]
//               [--abandon | --die-held] -- CMD ARGS...
// Runs CMD with the launcher as bops does, and ends as it ended.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "launch/command.hpp"
#include "launch/target_process.hpp"
#include "platform/clock.hpp"
#include "platform/files.hpp"

namespace {

constexpr mode_t kPrivate = 0600;

int tell(const bops::Error& error) {
  std::fprintf(stderr, "%s\n%s\n", error.message.c_str(), error.remedy.c_str());
  return static_cast<int>(error.kind);
}

std::string report_of(const bops::TargetEnd& end, std::uint64_t ticks, std::uint64_t wall_ns) {
  const bops::ResourceUsage& usage = end.resource_usage;
  std::map<std::string, std::uint64_t> values{{"left", end.descendants_left ? 1 : 0},
                                              {"ticks", ticks},
                                              {"wall_ns", wall_ns},
                                              {"user_cpu_ns", usage.user_cpu_ns},
                                              {"minor_faults", usage.minor_faults},
                                              {"max_resident_bytes", usage.max_resident_bytes}};
  std::string lines;
  for (const auto& [name, value] : values) lines += name + " " + std::to_string(value) + "\n";
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  int index = 1;
  for (; index < argc && std::string(argv[index]) != "--"; ++index) {
    const std::string option = argv[index];
    const bool is_switch = option == "--abandon" || option == "--die-held" || option == "--follow";
    options[option] = is_switch || index + 1 >= argc ? "" : argv[++index];
  }
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable)
    environment.emplace_back(*variable);

  const auto plan = bops::resolve_command({argv + std::min(index + 1, argc), argv + argc},
                                          std::move(environment));
  if (!plan) return tell(plan.error());
  auto target = bops::TargetProcess::spawn_held(*plan);
  if (!target) return tell(target.error());
  if (options.contains("--follow"))
    if (const auto followed = target->follow({}); !followed) return tell(followed.error());
  if (options.contains("--pid-file"))
    if (const auto written = bops::write_file_whole(options["--pid-file"],
                                                    std::to_string(target->pid()) + "\n", kPrivate);
        !written)
      return tell(written.error());
  if (options.contains("--abandon")) return 0;
  if (options.contains("--die-held")) ::kill(::getpid(), SIGKILL);
  const std::uint64_t start = bops::mono_ns();
  if (const auto released = target->release(); !released) return tell(released.error());

  std::uint64_t ticks = 0;
  const long period = options.contains("--tick") ? std::stol(options["--tick"]) : 0;
  const bops::TargetEnd end =
      target->wait({std::chrono::milliseconds(period), [&ticks] { ++ticks; }});
  if (options.contains("--report"))
    if (const auto written = bops::write_file_whole(
            options["--report"], report_of(end, ticks, bops::mono_ns() - start), kPrivate);
        !written)
      return tell(written.error());
  bops::exit_like(end.exit);
}

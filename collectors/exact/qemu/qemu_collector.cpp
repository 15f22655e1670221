#include "collectors/exact/qemu/qemu_collector.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/exact/block_counts.hpp"
#include "collectors/exact/block_profile.hpp"
#include "collectors/exact/function_counts.hpp"
#include "platform/file_mapping.hpp"
#include "platform/files.hpp"
#include "platform/programs.hpp"

extern "C" {
#include "collectors/exact/program_file.h"
}

namespace bops::exact {
namespace {

constexpr std::string_view kPluginName = "bops-qemu-plugin.so";
constexpr std::string_view kEmulatorName = "qemu-x86_64";
/// A function that QEMU exports to plugins: its executable has the name if it can load them.
constexpr std::string_view kPluginFunction = "qemu_plugin_register_vcpu_tb_exec_cb";

Result<std::string> find_emulator() {
  auto emulator = find_program(std::string(kEmulatorName));
  if (!emulator)
    return failure("qemu-x86_64 is not installed",
                   "install QEMU's user mode: apt-get install qemu-user");
  const auto mapping = FileMapping::open(*emulator, FileMapping::Access::kReadOnly);
  if (!mapping) return tl::unexpected(mapping.error());
  const std::string_view bytes(reinterpret_cast<const char*>(mapping->bytes().data()),
                               mapping->bytes().size());
  if (bytes.find(kPluginFunction) == std::string_view::npos)
    return failure(
        *emulator + " was built without support for plugins",
        "install Debian's qemu-user (7.2 or later), or build QEMU with --enable-plugins");
  return *emulator;
}

Result<std::string> find_plugin() {
  auto path = find_library_file(std::string(kPluginName));
  if (!path)
    return failure("the plugin " + std::string(kPluginName) + " is not beside bops",
                   "build or install bops again: cmake --install build/release --prefix DIR");
  return *path;
}

/// The dynamic loader's variables are the target's, not the emulator's. QEMU splits -E at commas.
bool is_for_the_guest_alone(const std::string& variable) {
  return variable.starts_with("LD_") && variable.find(',') == std::string::npos;
}

Result<void> check_program(const program_file& program, const std::string& path) {
  const std::string reason = program.reason != nullptr ? program.reason : "";
  switch (program.kind) {
    case PROGRAM_COUNTABLE:
    case PROGRAM_INVALID: return {};  // execve says best what is wrong with an invalid one
    case PROGRAM_UNKNOWN:
      return failure("cannot execute " + path + ": " + reason,
                     "give a script a first line such as #!/bin/sh", FailureKind::kNotExecutable);
    case PROGRAM_UNCOUNTABLE: break;
  }
  return failure("the qemu collector cannot count " + path + ": " + reason,
                 "choose another program, or run it uncounted with --allow-uncounted");
}

class QemuCollector final : public Collector {
 public:
  [[nodiscard]] CollectorInfo info() const override {
    return {"qemu",
            "exact counts of any x86-64 program, emulated by QEMU user mode",
            "retired_instructions",
            "user",
            "in_target",
            "emulated"};
  }
  [[nodiscard]] Probe probe() const override;
  [[nodiscard]] Result<void> prepare(LaunchPlan& plan, const RunDirectory& directory) override;
  [[nodiscard]] Result<void> on_thread_event(const ThreadEvent&) override { return {}; }
  [[nodiscard]] Result<RunCounts> snapshot() override { return count(Detail::kNoFunctions); }
  [[nodiscard]] Result<RunCounts> collect() override;
  [[nodiscard]] Result<RunCounts> recover(const RunDirectory& directory) override;

 private:
  /// Functions need the symbols of every image: too much for a snapshot.
  enum class Detail : std::uint8_t { kNoFunctions, kFunctions };
  [[nodiscard]] Result<RunCounts> count(Detail detail);
  void start_profile_of(const RunDirectory& directory);

  std::string profile_path_;
  BlockCounter counter_{"qemu"};  ///< of one run
};

Probe QemuCollector::probe() const {
  const auto emulator = find_emulator();
  if (!emulator) return {false, emulator.error().message, emulator.error().remedy};
  const auto plugin = find_plugin();
  if (!plugin) return {false, plugin.error().message, plugin.error().remedy};
  return {true, "through " + *emulator + ", which has AVX2 but no AVX-512", ""};
}

Result<void> QemuCollector::prepare(LaunchPlan& plan, const RunDirectory& directory) {
  const auto emulator = find_emulator();
  if (!emulator) return tl::unexpected(emulator.error());
  const auto plugin = find_plugin();
  if (!plugin) return tl::unexpected(plugin.error());
  start_profile_of(directory);
  if (plugin->find(',') != std::string::npos || profile_path_.find(',') != std::string::npos)
    return failure("QEMU cannot be given a path with a comma: " + *plugin + " or " + profile_path_,
                   "install bops, and set BOPS_STATE_DIR, to directories without commas");

  const auto program = std::make_unique<program_file>();
  program_file_resolve(program.get(), plan.executable.c_str());
  if (auto checked = check_program(*program, plan.executable); !checked) return checked;
  if (program->kind == PROGRAM_INVALID) return {};
  if (auto created = create_block_profile(profile_path_, "qemu", directory.start_mono_ns); !created)
    return created;

  std::vector<std::string> words(program->prefix, program->prefix + program->prefix_count);
  if (words.empty() && !plan.arguments.empty()) words.push_back(plan.arguments.front());
  LaunchPlan emulated;
  emulated.executable = *emulator;
  emulated.arguments = {*emulator,
                        "-cpu",
                        "max",
                        "-plugin",
                        *plugin + ",profile=" + profile_path_ + ",self=" + *plugin,
                        "-0",
                        words.empty() ? "" : words.front()};
  for (std::string& variable : plan.environment) {
    if (is_for_the_guest_alone(variable)) {
      emulated.arguments.emplace_back("-E");
      emulated.arguments.push_back(std::move(variable));
    } else {
      emulated.environment.push_back(std::move(variable));
    }
  }
  emulated.arguments.emplace_back(program->path);
  for (std::size_t i = 1; i < words.size(); ++i) emulated.arguments.push_back(words[i]);
  for (std::size_t i = 1; i < plan.arguments.size(); ++i)
    emulated.arguments.push_back(std::move(plan.arguments[i]));
  plan = std::move(emulated);
  spdlog::debug("qemu: profile {}", profile_path_);
  return {};
}

/// Block ids recur in the next run's profile, for other blocks: nothing may be remembered of them.
void QemuCollector::start_profile_of(const RunDirectory& directory) {
  profile_path_ = directory.path + "/" + BOPS_PROFILE_FILE_NAME;
  counter_ = BlockCounter("qemu");
}

Result<RunCounts> QemuCollector::count(Detail detail) {
  const auto mapping = FileMapping::open(profile_path_, FileMapping::Access::kReadOnly);
  if (!mapping) return tl::unexpected(mapping.error());
  const auto profile = read_block_profile(mapping->bytes());
  if (!profile) return tl::unexpected(profile.error());
  spdlog::debug("qemu: {} blocks, {} threads, {} bytes of profile", profile->blocks.size(),
                profile->threads.size(), profile->bytes_used);
  RunCounts run = counter_.count(*profile);
  if (detail == Detail::kFunctions) run.functions = count_functions(*profile);
  return run;
}

Result<RunCounts> QemuCollector::collect() {
  auto run = count(Detail::kFunctions);
  if (run && run->processes.empty())
    return failure("the emulator did not start the program",
                   "run it with --log debug, and qemu-x86_64 alone, to see why");
  return run;
}

Result<RunCounts> QemuCollector::recover(const RunDirectory& directory) {
  start_profile_of(directory);
  return count(Detail::kFunctions);
}

}  // namespace

std::unique_ptr<Collector> make_qemu_collector() {
  return std::make_unique<QemuCollector>();
}

}  // namespace bops::exact

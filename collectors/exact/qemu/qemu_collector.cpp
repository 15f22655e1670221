#include "collectors/exact/qemu/qemu_collector.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "collectors/exact/profile_collector.hpp"
#include "platform/file_mapping.hpp"
#include "platform/programs.hpp"

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

class QemuCollector final : public ProfileCollector {
 public:
  QemuCollector() : ProfileCollector("qemu") {}
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

 protected:
  [[nodiscard]] Error not_started() const override {
    return {"the emulator did not start the program",
            "run it with --log debug, and qemu-x86_64 alone, to see why"};
  }
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
  profile_in(directory);
  if (plugin->find(',') != std::string::npos || profile_path().find(',') != std::string::npos)
    return failure("QEMU cannot be given a path with a comma: " + *plugin + " or " + profile_path(),
                   "install bops, and set BOPS_STATE_DIR, to directories without commas");
  const auto program = program_of(plan.executable);
  if (!program) return tl::unexpected(program.error());
  if ((*program)->kind == PROGRAM_INVALID) return {};
  if (auto created = create_profile(directory); !created) return created;

  auto words = arguments_of(**program, std::move(plan.arguments));
  LaunchPlan emulated;
  emulated.executable = *emulator;
  emulated.arguments = {*emulator,
                        "-cpu",
                        "max",
                        "-plugin",
                        *plugin + ",profile=" + profile_path() + ",self=" + *plugin,
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
  emulated.arguments.emplace_back((*program)->path);
  for (std::size_t i = 1; i < words.size(); ++i) emulated.arguments.push_back(std::move(words[i]));
  plan = std::move(emulated);
  return {};
}

}  // namespace

std::unique_ptr<Collector> make_qemu_collector() {
  return std::make_unique<QemuCollector>();
}

}  // namespace bops::exact

#include "collectors/exact/native/native_collector.hpp"

#include <string>
#include <utility>

#include "collectors/exact/native/engine_check.hpp"
#include "collectors/exact/profile_collector.hpp"

namespace bops::exact {
namespace {

Probe as_probe(const Result<void>& checked) {
  if (!checked) return {false, checked.error().message, checked.error().remedy};
  return {true, "", ""};
}

class NativeCollector final : public ProfileCollector {
 public:
  NativeCollector() : ProfileCollector("native") {}
  [[nodiscard]] CollectorInfo info() const override {
    return {"native",
            "exact counts of any x86-64 program, translated in its own process",
            "retired_instructions",
            "user",
            "in_target",
            "native"};
  }
  [[nodiscard]] Probe probe() const override { return as_probe(check_engine()); }
  [[nodiscard]] Probe quick_probe() const override { return as_probe(check_engine_once()); }
  [[nodiscard]] Result<void> prepare(LaunchPlan& plan, const RunDirectory& directory) override;

 protected:
  [[nodiscard]] Error not_started() const override {
    return {"the engine did not start the program",
            "bops doctor tells whether it works on this machine; limits that the command was given "
            "(ulimit -a) may be too small for it"};
  }
};

Result<void> NativeCollector::prepare(LaunchPlan& plan, const RunDirectory& directory) {
  auto engine = find_engine();
  if (!engine) return tl::unexpected(engine.error());
  profile_in(directory);
  const auto program = program_of(plan.executable);
  if (!program) return tl::unexpected(program.error());
  if ((*program)->kind == PROGRAM_INVALID) return {};
  if (auto created = create_profile(directory); !created) return created;

  // As engine/loader.hpp asks for. AT_EXECFN of a script is the script, not its interpreter.
  std::vector<std::string> words = {*engine, profile_path(), plan.executable, (*program)->path};
  for (std::string& word : arguments_of(**program, std::move(plan.arguments)))
    words.push_back(std::move(word));
  plan.executable = *std::move(engine);
  plan.arguments = std::move(words);
  return {};
}

}  // namespace

std::unique_ptr<Collector> make_native_collector() {
  return std::make_unique<NativeCollector>();
}

}  // namespace bops::exact

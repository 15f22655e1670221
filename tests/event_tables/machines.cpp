#include "tests/event_tables/machines.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace bops::pmu {
namespace {

std::uint32_t hexadecimal(const nlohmann::json& value) {
  return static_cast<std::uint32_t>(std::stoul(value.get<std::string>(), nullptr, 16));
}

}  // namespace

std::vector<KnownMachine> known_machines() {
  std::ifstream file(BOPS_MACHINES_FILE);
  std::vector<KnownMachine> machines;
  for (const auto& value : nlohmann::json::parse(file)) {
    KnownMachine machine;
    machine.name = value.at("name");
    machine.cpu.name = machine.name;
    if (value.contains("implementer")) {
      machine.cpu.implementer = hexadecimal(value["implementer"]);
      machine.cpu.part = hexadecimal(value.at("part"));
    } else {
      machine.cpu.vendor = value.at("vendor");
      machine.cpu.family = value.at("family");
      machine.cpu.model = hexadecimal(value.at("model"));
      machine.cpu.stepping = value.at("stepping");
    }
    machine.pmus = value.at("pmus").get<std::vector<std::string>>();
    machine.hyperthreading = value.at("hyperthreading");
    machine.tables = value.at("tables").get<std::vector<std::string>>();
    machines.push_back(std::move(machine));
  }
  return machines;
}

FakeSysfs::FakeSysfs(const std::vector<std::string>& pmus) {
  path_ = ::testing::TempDir() + "/bops-sysfs-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) std::abort();
  for (std::size_t index = 0; index < pmus.size(); ++index) {
    const std::string folder = "bus/event_source/devices/" + pmus[index];
    const std::size_t type = index == 0 ? 4 : kSecondType + index - 1;
    write(folder + "/type", std::to_string(type) + "\n");
    if (pmus[index] != "cpu") write(folder + "/cpus", "0-3\n");
  }
}

FakeSysfs::~FakeSysfs() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void FakeSysfs::write(const std::string& file, const std::string& content) const {
  const std::filesystem::path path = std::filesystem::path(path_) / file;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

Machine machine_of(const KnownMachine& known, const FakeSysfs& sysfs) {
  Machine machine;
  machine.cpu = known.cpu;
  machine.sysfs = sysfs.path();
  machine.hyperthreading = known.hyperthreading;
  return machine;
}

std::ostream& operator<<(std::ostream& stream, const KnownMachine& machine) {
  return stream << machine.name;
}

}  // namespace bops::pmu

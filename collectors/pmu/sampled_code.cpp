#include "collectors/pmu/sampled_code.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "platform/demangle.hpp"
#include "platform/elf_file.hpp"
#include "platform/files.hpp"

namespace bops::pmu {
namespace {

constexpr const char* kUnknown = "[unknown]";

/// One file that was mapped, and whether it is still the same.
struct File {
  std::string build_id;
  std::optional<ElfSymbols> symbols;  ///< none where it is another one now
};

File read_image(const CodeMapping& mapping, const std::string& debug_root) {
  File file{mapping.build_id, {}};
  const std::string now = elf_build_id(mapping.path);
  if (!mapping.build_id.empty() && now != mapping.build_id) return file;
  file.build_id = now;
  file.symbols = ElfSymbols::read(mapping.path, debug_root);
  return file;
}

bool is_file(const std::string& path) {
  return path.starts_with('/') && !path.starts_with("//");
}

/// As ImageCounts::path.
std::string image_of(const CodeMapping* mapping, std::uint64_t address) {
  constexpr std::uint64_t kKernelHalf = std::uint64_t{1} << 63U;
  if (mapping == nullptr) return (address & kKernelHalf) != 0 ? "[kernel]" : kUnknown;
  if (is_file(mapping->path)) return mapping->path;
  return mapping->path == "[vdso]" ? mapping->path : "[anonymous]";
}

/// "55d0-55e0 r-xp 00001000 fe:00 123   /bin/true" (proc(5)).
std::optional<CodeMapping> parse_maps_line(const std::string& line, pid_t pid) {
  CodeMapping mapping;
  mapping.pid = pid;
  std::array<char, 5> rights{};
  int path_at = 0;
  unsigned long start = 0;
  unsigned long end = 0;
  unsigned long offset = 0;
  if (std::sscanf(line.c_str(), "%lx-%lx %4s %lx %*s %*s %n", &start, &end, rights.data(), &offset,
                  &path_at) < 4)
    return std::nullopt;
  if (rights[2] != 'x') return std::nullopt;
  mapping.start = start;
  mapping.end = end;
  mapping.file_offset = offset;
  mapping.path = line.substr(std::min(static_cast<std::size_t>(path_at), line.size()));
  return mapping;
}

}  // namespace

std::size_t SampledCode::new_space() {
  spaces_.emplace_back();
  return spaces_.size() - 1;
}

SampledCode::Space& SampledCode::space_of(pid_t pid) {
  const auto [found, is_new] = current_.try_emplace(pid, spaces_.size());
  if (is_new) spaces_.emplace_back();
  return spaces_[found->second];
}

void SampledCode::add_process(pid_t pid) {
  start_program(pid);
  const auto maps = read_file_whole("/proc/" + std::to_string(pid) + "/maps");
  if (!maps) return;
  for (std::size_t at = 0; at < maps->size();) {
    const std::size_t end = std::min(maps->find('\n', at), maps->size());
    if (auto mapping = parse_maps_line(maps->substr(at, end - at), pid))
      add_mapping(*std::move(mapping));
    at = end + 1;
  }
}

void SampledCode::add_mapping(CodeMapping mapping) {
  space_of(mapping.pid).mappings.push_back(std::move(mapping));
}

void SampledCode::add_sample(pid_t pid, std::uint64_t address, std::size_t event) {
  ++space_of(pid).samples[address].at(event);
}

std::vector<SampledFunction> SampledCode::functions(const std::string& debug_root) const {
  std::map<std::string, File> files;  // by path
  std::map<std::tuple<std::string, std::string, std::string>, FormulaSamples> sums;
  for (const Space& space : spaces_)
    for (const auto& [address, samples] : space.samples) {
      const auto last = std::find_if(
          space.mappings.rbegin(), space.mappings.rend(),
          [at = address](const CodeMapping& each) { return at >= each.start && at < each.end; });
      const CodeMapping* const mapping = last == space.mappings.rend() ? nullptr : &*last;
      std::string name = kUnknown;
      std::string build_id;
      if (mapping != nullptr && is_file(mapping->path)) {
        auto file = files.find(mapping->path);
        if (file == files.end())
          file = files.emplace(mapping->path, read_image(*mapping, debug_root)).first;
        build_id = file->second.build_id;
        const std::uint64_t offset = address - mapping->start + mapping->file_offset;
        if (file->second.symbols)
          if (const ElfFunction* function = file->second.symbols->at_file_offset(offset))
            name = demangled(function->name);
      }
      FormulaSamples& sum = sums[{image_of(mapping, address), build_id, name}];
      for (std::size_t event = 0; event < sum.size(); ++event) sum.at(event) += samples.at(event);
    }
  std::vector<SampledFunction> functions;
  functions.reserve(sums.size());
  for (const auto& [key, samples] : sums)
    functions.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), samples, {}});
  return functions;
}

}  // namespace bops::pmu

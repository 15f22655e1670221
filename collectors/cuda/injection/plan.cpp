#include "collectors/cuda/injection/plan.hpp"

#include <cstdio>
#include <cstdlib>

#include "collectors/cuda/wire.hpp"

namespace bops::cuda::injection {
namespace {

bool read_file(const char* path, std::string& text) {
  std::FILE* file = std::fopen(path, "rce");
  if (file == nullptr) return false;
  char buffer[4096];
  for (std::size_t size = 0; (size = std::fread(buffer, 1, sizeof buffer, file)) > 0;)
    text.append(buffer, size);
  const bool good = std::ferror(file) == 0;
  std::fclose(file);
  return good;
}

void take(Plan& plan, std::string_view word, const std::string& value) {
  const std::uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
  if (word == "mode") plan.profile = value == "profile";
  if (word == "interval_ms") plan.interval_ms = number;
  if (word == "ranges" && number > 0) plan.ranges = number;
  if (word == "most_passes") plan.most_passes = number;
  if (word == "cupti") plan.cupti = value;
  if (word == "output") plan.output = value;
  if (word == "images") plan.images = value;
  if (word == "chip") plan.chips.push_back({value, {}});
  if (word == "metric" && !plan.chips.empty()) plan.chips.back().metrics.push_back(value);
}

}  // namespace

const Plan::Chip* Plan::find_chip(std::string_view name) const {
  for (const Chip& chip : chips)
    if (chip.name == name) return &chip;
  return nullptr;
}

bool read_plan(const char* path, Plan& plan) {
  std::string text;
  if (path == nullptr || !read_file(path, text)) return false;
  std::string_view rest = text;
  for (bool first = true; !rest.empty(); first = false) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (first && line != wire::kPlanFirstLine) return false;
    const std::size_t space = line.find(' ');
    if (!first && space != std::string_view::npos)
      take(plan, line.substr(0, space), std::string(line.substr(space + 1)));
  }
  return !plan.output.empty();
}

}  // namespace bops::cuda::injection

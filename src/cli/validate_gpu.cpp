#include "cli/validate_gpu.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "cli/cli.hpp"
#include "platform/files.hpp"
#include "platform/programs.hpp"
#include "report/escape.hpp"
#include "report/number_text.hpp"
#include "report/text.hpp"
#include "session/run_session.hpp"
#include "validate/gpu_claims.hpp"

namespace bops {
namespace {

constexpr const char* kProgram = "bops-gpu-workload";

/// Beside bops in the build tree, in lib/bops of an installation.
Result<std::string> find_workload() {
  if (const auto here = executable_directory()) {
    const std::string path = *here + "/" + kProgram;
    if (std::filesystem::exists(path)) return path;
  }
  if (const auto installed = find_library_file(kProgram)) return *installed;
  return failure("this build has no kernels for GPUs: CMake found no nvcc",
                 "install the CUDA toolkit (13 or later) and build bops again");
}

/// What a program of ours prints.
Result<std::string> output_of(const std::string& program, const std::string& word) {
  const std::array<std::string, 2> words{program, word};
  FILE* pipe = ::popen(shell_quoted(words).c_str(), "re");
  if (pipe == nullptr) return failure("cannot run " + program);
  std::string text;
  std::array<char, 4096> buffer{};
  for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), size);
  if (::pclose(pipe) != 0) return failure(program + " " + word + " failed");
  return text;
}

Result<RunRecord> profile(const std::string& program, const validate::GpuKernel& kernel,
                          Collectors collectors) {
  RunRequest request;
  request.command = {program, "run", kernel.name, std::to_string(kernel.size)};
  for (char** variable = environ; *variable != nullptr; ++variable)
    request.environment.emplace_back(*variable);
  request.gpu = GpuChoice::kProfile;
  const RunListener silent{[](const std::string&) {}, [](const IntervalRecord&) {}};
  auto finished = run_session(request, collectors, silent);
  if (!finished) return tl::unexpected(finished.error());
  if (finished->record.exit.code != 0)
    return failure(kernel.name +
                   " did not end as it should: its result is wrong, or it did not run");
  if (finished->record.counts.gpus.empty())
    return failure(kernel.name + " was not counted on any GPU");
  return std::move(finished->record);
}

/// A row for each count; false if one of them is not what the source asks for.
bool judge(const validate::GpuKernel& kernel, const Result<RunRecord>& record, Table& table) {
  if (!record) {
    table.rows.push_back({kernel.name, "", "", "", "fails: " + printable(record.error().message)});
    return false;
  }
  bool all = true;
  const GpuCounts& counts = record->counts.gpus.front().counts;
  for (const validate::GpuExpectation& expected : kernel.expectations) {
    const auto count = validate::measured(counts, expected.what);
    const bool good = count && validate::holds(expected, *count);
    all = all && good;
    table.rows.push_back({kernel.name, expected.what, grouped(expected.count),
                          count ? grouped(*count) : "not measured", good ? "holds" : "fails"});
  }
  return all;
}

}  // namespace

int validate_gpu(Collectors collectors, bool colour) {
  for (const auto& collector : collectors) {
    if (!collector->counts_gpus()) continue;
    if (const Probe probe = collector->probe(); !probe.usable)
      return report_error(
          {"there is no GPU to validate on: " + probe.reason, probe.remedy, FailureKind::kRefused});
  }
  const auto program = find_workload();
  if (!program) return report_error(program.error());
  const auto text = output_of(*program, "list");
  if (!text) return report_error(text.error());
  const auto kernels = validate::read_gpu_kernels(*text);
  if (!kernels) return report_error(kernels.error());
  Table table{"Kernels of GPUs, profiled, against their source",
              "",
              {{"kernel", false}, {"count", false}, {"source"}, {"counted"}, {"", false}},
              {}};
  bool all = true;
  for (const validate::GpuKernel& kernel : *kernels)
    all = judge(kernel, profile(*program, kernel, collectors), table) && all;
  std::cout << table_text(table, colour);
  return all ? 0 : 1;
}

}  // namespace bops

#include "collectors/exact/profile_collector.hpp"

#include <spdlog/spdlog.h>

#include <iterator>
#include <memory>
#include <utility>

#include "collectors/exact/block_profile.hpp"
#include "platform/clock.hpp"
#include "platform/file_mapping.hpp"

namespace bops::exact {

/// Block ids recur in the next run's profile, for other blocks: nothing may be remembered of them.
void ProfileCollector::profile_in(const RunDirectory& directory) {
  profile_path_ = directory.path + "/" + BOPS_PROFILE_FILE_NAME;
  counter_ = BlockCounter(engine_, instruments_);
}

Result<void> ProfileCollector::configure(const CountingOptions& options) {
  instruments_ = options.instruments;
  return Collector::configure(options);
}

Result<void> ProfileCollector::create_profile(const RunDirectory& directory) const {
  spdlog::debug("{}: profile {}", engine_, profile_path_);
  return create_block_profile(profile_path_, engine_, directory.start_mono_ns);
}

Result<std::unique_ptr<program_file>> ProfileCollector::program_of(const std::string& path) const {
  auto program = std::make_unique<program_file>();
  program_file_resolve(program.get(), path.c_str());
  const std::string reason = program->reason != nullptr ? program->reason : "";
  switch (program->kind) {
    case PROGRAM_COUNTABLE:
    case PROGRAM_INVALID: return program;  // execve says best what is wrong with an invalid one
    case PROGRAM_UNKNOWN:
      return failure("cannot execute " + path + ": " + reason,
                     "give a script a first line such as #!/bin/sh", FailureKind::kNotExecutable);
    case PROGRAM_UNCOUNTABLE: break;
  }
  return failure("the " + engine_ + " collector cannot count " + path + ": " + reason,
                 "choose another program, or run it uncounted with --allow-uncounted");
}

Result<RunCounts> ProfileCollector::count(Detail detail) {
  const std::uint64_t begin_ns = mono_ns();
  const auto mapping = FileMapping::open(profile_path_, FileMapping::Access::kReadOnly);
  if (!mapping) return tl::unexpected(mapping.error());
  const FileData data(profile_path_);
  const auto profile = read_block_profile(mapping->bytes(), &data);
  if (!profile) return tl::unexpected(profile.error());
  const std::uint64_t read_ns = mono_ns();
  spdlog::debug("{}: {} blocks, {} executed, {} threads, {} bytes of profile, read in {} us",
                engine_, profile->blocks.size(), profile->executions.size(),
                profile->threads.size(), profile->bytes_used, (read_ns - begin_ns) / 1000);
  RunCounts run = detail == Detail::kFunctions ? counter_.count_with_functions(*profile)
                                               : counter_.count(*profile);
  spdlog::debug("{}: {} functions, counted in {} us", engine_, run.functions.size(),
                (mono_ns() - read_ns) / 1000);
  return run;
}

Result<RunCounts> ProfileCollector::collect() {
  auto run = count(Detail::kFunctions);
  if (run && run->processes.empty()) return tl::unexpected(not_started());
  return run;
}

Result<RunCounts> ProfileCollector::recover(const RunDirectory& directory) {
  profile_in(directory);
  return count(Detail::kFunctions);
}

std::vector<std::string> arguments_of(const program_file& program,
                                      std::vector<std::string> arguments) {
  if (program.prefix_count == 0) return arguments;
  std::vector<std::string> words(program.prefix, program.prefix + program.prefix_count);
  if (!arguments.empty())
    words.insert(words.end(), std::make_move_iterator(arguments.begin() + 1),
                 std::make_move_iterator(arguments.end()));
  return words;
}

}  // namespace bops::exact

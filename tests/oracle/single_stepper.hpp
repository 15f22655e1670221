// Runs a program one instruction at a time and counts what it retires: the oracle of the tests.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/error.hpp"

namespace bops::oracle {

/// One retired instruction. `bytes`: 15, or as many as are mapped; the instruction begins them.
struct Step {
  pid_t tid;
  std::uint64_t rip;
  std::span<const std::uint8_t> bytes;
};

using OnStep = std::function<void(const Step&)>;

enum class Follow : std::uint8_t {
  kFirstThread,  ///< threads and children that it starts run unobserved
  kEverything,   ///< all threads and all descendants
};

struct StepResult {
  std::uint64_t instructions = 0;  ///< retired user instructions of everything followed
  std::optional<int> exit_code;    ///< of the first process; one of the two is set
  std::optional<int> signal;
};

/// Runs `command` (PATH is searched) from its first user instruction to the end. A repeated string
/// instruction is one, also when signal handlers run in between; an instruction that faults is not
/// counted, its successful repetition is. Limits: the processor takes no trap between `mov ss` and
/// the instruction after it, so the two count as one (Intel SDM volume 3, 6.8.3); the signal of an
/// `int1` is not delivered.
///
/// Waits for any child of the caller if it follows everything: the caller must have no others.
/// Fails if the program cannot be started or ptrace is not permitted.
[[nodiscard]] Result<StepResult> single_step(const std::vector<std::string>& command, Follow follow,
                                             const OnStep& on_step = {});

}  // namespace bops::oracle

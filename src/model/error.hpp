// Expected failures are values. Bugs of our own are assertions, which stay on in release builds.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace bops {

/// What the process that asked should exit with, in the words of env(1) and the shells.
enum class FailureKind : std::uint8_t {
  kRefused = 125,        ///< bops failed or refused
  kNotExecutable = 126,  ///< the command was found but cannot be executed
  kNotFound = 127,       ///< the command was not found
};

/// A failure that the user can do something about: what is wrong, and the remedy.
struct Error {
  std::string message;  ///< one sentence, without a trailing full stop or newline
  std::string remedy;   ///< what to do about it; empty where the message says it
  FailureKind kind = FailureKind::kRefused;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> failure(std::string message, std::string remedy = {},
                                                   FailureKind kind = FailureKind::kRefused) {
  return tl::unexpected<Error>(Error{std::move(message), std::move(remedy), kind});
}

}  // namespace bops

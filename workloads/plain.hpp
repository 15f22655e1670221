// The languages of the measured builds: built-in types only, so that even an unoptimised build
// holds no call and no instruction that the kernel did not ask for.
#pragma once

#include <cstdint>

namespace bops::workloads {

/// Ordinary code.
struct Plain {
  template <class T>
  using Value = T;
  template <class T>
  using Pointer = T*;
  template <class T>
  using LoopPointer = T*;
  template <class T>
  using Array = T*;
  template <class T>
  using Rows = T* const*;
  using Index = std::int64_t;
  using LoopIndex = std::int64_t;
  /// First operand of every `&&` chain: says "one short-circuit operator", and folds away.
  static constexpr bool kShortCircuit = true;

  template <class T>
  static T* point(Value<T>* data) {
    return data;
  }
};

/// The reference build: gcc folds no volatile access into an arithmetic instruction, so that one
/// instruction is one operation (counting.md).
struct PlainVolatile : Plain {
  template <class T>
  using Pointer = volatile T*;
  template <class T>
  using LoopPointer = volatile T*;
};

/// The value itself, without counting: for set-up and checks.
template <class T>
requires(!requires(T value) { value.uncounted(); }) [[nodiscard]] constexpr T uncounted(T value) {
  return value;
}

}  // namespace bops::workloads

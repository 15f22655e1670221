// What the executed instructions did: decoded operations, and the disjoint instruction classes.
#pragma once

#include <cstdint>

namespace bops {

/// Operations that executed instructions carried out, SIMD lanes and FMA counted.
struct Operations {
  std::uint64_t integer = 0;
  std::uint64_t floating_point = 0;
  std::uint64_t address = 0;

  [[nodiscard]] constexpr std::uint64_t computation() const { return integer + floating_point; }
  [[nodiscard]] constexpr std::uint64_t total() const { return computation() + address; }

  constexpr Operations& operator+=(const Operations& other) {
    integer += other.integer;
    floating_point += other.floating_point;
    address += other.address;
    return *this;
  }
  constexpr Operations& operator-=(const Operations& other) {
    integer -= other.integer;
    floating_point -= other.floating_point;
    address -= other.address;
    return *this;
  }
  [[nodiscard]] constexpr Operations times(std::uint64_t times) const {
    return {integer * times, floating_point * times, address * times};
  }
  friend constexpr bool operator==(const Operations&, const Operations&) = default;
};

/// Disjoint split of the executed instructions: each is in exactly one class, the first that fits
/// in this order. A load, store or load_store is a move; `add r, [m]` is an integer instruction.
struct InstructionClasses {
  std::uint64_t branch = 0;
  std::uint64_t load = 0;
  std::uint64_t store = 0;
  std::uint64_t load_store = 0;
  std::uint64_t floating_point = 0;
  std::uint64_t integer = 0;
  std::uint64_t other = 0;

  [[nodiscard]] constexpr std::uint64_t total() const {
    return branch + load + store + load_store + floating_point + integer + other;
  }
  constexpr InstructionClasses& operator+=(const InstructionClasses& rhs) {
    branch += rhs.branch;
    load += rhs.load;
    store += rhs.store;
    load_store += rhs.load_store;
    floating_point += rhs.floating_point;
    integer += rhs.integer;
    other += rhs.other;
    return *this;
  }
  constexpr InstructionClasses& operator-=(const InstructionClasses& rhs) {
    branch -= rhs.branch;
    load -= rhs.load;
    store -= rhs.store;
    load_store -= rhs.load_store;
    floating_point -= rhs.floating_point;
    integer -= rhs.integer;
    other -= rhs.other;
    return *this;
  }
  [[nodiscard]] constexpr InstructionClasses times(std::uint64_t times) const {
    return {branch * times,         load * times,    store * times, load_store * times,
            floating_point * times, integer * times, other * times};
  }
  friend constexpr bool operator==(const InstructionClasses&, const InstructionClasses&) = default;
};

}  // namespace bops

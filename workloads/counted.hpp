// The counting language: numbers, pointers and arrays that tally what is done with them. Moves,
// constants, calls and `*p` count nothing.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "workloads/tallies.hpp"

namespace bops::workloads {

/// Of the calling thread. A number type has no room for a pointer to its tallies.
inline thread_local Tallies thread_tallies;

inline void tally(Category category) {
  ++thread_tallies[category];
}

template <class T>
class Counted {
 public:
  constexpr Counted() = default;
  // Implicit, so that constants stand in kernels as they do in plain code.
  constexpr Counted(T value) : value_(value) {}

  [[nodiscard]] constexpr T uncounted() const { return value_; }

  friend Counted operator+(const Counted& a, const Counted& b) { return a.counting() + b.value_; }
  friend Counted operator-(const Counted& a, const Counted& b) { return a.counting() - b.value_; }
  friend Counted operator*(const Counted& a, const Counted& b) { return a.counting() * b.value_; }
  friend Counted operator/(const Counted& a, const Counted& b) { return a.counting() / b.value_; }
  friend Counted operator&(const Counted& a, const Counted& b) { return a.bitwise() & b.value_; }
  friend Counted operator|(const Counted& a, const Counted& b) { return a.bitwise() | b.value_; }
  friend Counted operator^(const Counted& a, const Counted& b) { return a.bitwise() ^ b.value_; }
  friend Counted operator<<(const Counted& a, const Counted& b) { return a.bitwise() << b.value_; }
  friend Counted operator>>(const Counted& a, const Counted& b) { return a.bitwise() >> b.value_; }

  Counted& operator+=(const Counted& b) { return *this = *this + b; }
  Counted& operator-=(const Counted& b) { return *this = *this - b; }
  Counted& operator*=(const Counted& b) { return *this = *this * b; }
  Counted& operator++() { return *this += T{1}; }
  Counted& operator--() { return *this -= T{1}; }

  friend bool operator<(const Counted& a, const Counted& b) { return a.compared() < b.value_; }
  friend bool operator<=(const Counted& a, const Counted& b) { return a.compared() <= b.value_; }
  friend bool operator>(const Counted& a, const Counted& b) { return a.compared() > b.value_; }
  friend bool operator>=(const Counted& a, const Counted& b) { return a.compared() >= b.value_; }
  friend bool operator==(const Counted& a, const Counted& b) { return a.compared() == b.value_; }
  friend bool operator!=(const Counted& a, const Counted& b) { return a.compared() != b.value_; }

 private:
  static constexpr bool kFloats = std::is_floating_point_v<T>;
  [[nodiscard]] T counting() const {
    tally(kFloats ? Category::kFloatingPoint : Category::kIntegerArithmetic);
    return value_;
  }
  [[nodiscard]] T compared() const {
    tally(kFloats ? Category::kFloatingPoint : Category::kCompare);
    return value_;
  }
  [[nodiscard]] T bitwise() const {
    tally(Category::kLogic);
    return value_;
  }

  T value_{};
};

/// The index of a `for` loop. Used otherwise (i + 1) it is the number that it derives from.
class CountedLoopIndex : public Counted<std::int64_t> {
 public:
  using Number = Counted<std::int64_t>;
  CountedLoopIndex(std::int64_t value) : Number(value) {}
  CountedLoopIndex(const Number& value) : Number(value) {}

  CountedLoopIndex& operator++() { return *this += 1; }
  CountedLoopIndex& operator--() { return *this += -1; }
  CountedLoopIndex& operator+=(const Number& step) {
    tally(Category::kLoopStep);
    return *this = CountedLoopIndex(uncounted() + step.uncounted());
  }

  friend bool operator<(const CountedLoopIndex& a, const Number& b) { return a.test() < raw(b); }
  friend bool operator<=(const CountedLoopIndex& a, const Number& b) { return a.test() <= raw(b); }
  friend bool operator>(const CountedLoopIndex& a, const Number& b) { return a.test() > raw(b); }
  friend bool operator>=(const CountedLoopIndex& a, const Number& b) { return a.test() >= raw(b); }

 private:
  static std::int64_t raw(const Number& number) { return number.uncounted(); }
  [[nodiscard]] std::int64_t test() const {
    tally(Category::kLoopCompare);
    return uncounted();
  }
};

/// What may stand in brackets or be added to a pointer.
[[nodiscard]] constexpr std::int64_t subscript(std::int64_t offset) {
  return offset;
}
template <std::integral T>
[[nodiscard]] constexpr std::int64_t subscript(const Counted<T>& offset) {
  return offset.uncounted();
}

template <class T>
class CountedPointer {
 public:
  explicit CountedPointer(Counted<T>* target) : target_(target) {}

  Counted<T>& operator*() const { return *target_; }

  CountedPointer& operator++() { return *this += 1; }
  CountedPointer& operator--() { return *this -= 1; }
  CountedPointer& operator+=(const auto& offset) { return *this = *this + offset; }
  CountedPointer& operator-=(const auto& offset) { return *this = *this - offset; }
  CountedPointer operator+(const auto& offset) const { return step(subscript(offset)); }
  CountedPointer operator-(const auto& offset) const { return step(-subscript(offset)); }
  Counted<std::int64_t> operator-(const CountedPointer& other) const {
    tally(Category::kPointerStep);
    return target_ - other.target_;
  }

  using Self = CountedPointer;
  friend bool operator<(const Self& a, const Self& b) { return a.compared() < b.target_; }
  friend bool operator<=(const Self& a, const Self& b) { return a.compared() <= b.target_; }
  friend bool operator>(const Self& a, const Self& b) { return a.compared() > b.target_; }
  friend bool operator>=(const Self& a, const Self& b) { return a.compared() >= b.target_; }
  friend bool operator!=(const Self& a, const Self& b) { return a.compared() != b.target_; }

 protected:
  [[nodiscard]] Counted<T>* target() const { return target_; }

 private:
  [[nodiscard]] CountedPointer step(std::int64_t offset) const {
    tally(Category::kPointerStep);
    return CountedPointer(target_ + offset);
  }
  [[nodiscard]] Counted<T>* compared() const {
    tally(Category::kCompare);
    return target_;
  }

  Counted<T>* target_;
};

/// The pointer of a `for` loop: its steps are a pointer's, its comparison is the loop's.
template <class T>
class CountedLoopPointer : public CountedPointer<T> {
 public:
  using Base = CountedPointer<T>;
  using Self = CountedLoopPointer;
  CountedLoopPointer(const Base& start) : Base(start) {}

  friend bool operator<(const Self& a, const Base& b) { return a.test() < Self(b).target(); }
  friend bool operator>(const Self& a, const Base& b) { return a.test() > Self(b).target(); }

 private:
  [[nodiscard]] Counted<T>* test() const {
    tally(Category::kLoopCompare);
    return this->target();
  }
};

template <class T, Category kDimension>
class CountedArray {
 public:
  explicit CountedArray(Counted<T>* data) : data_(data) {}
  Counted<T>& operator[](const auto& index) const {
    tally(kDimension);
    return data_[subscript(index)];
  }

 private:
  Counted<T>* data_;
};

template <class T>
class CountedRows {
 public:
  CountedRows(Counted<T>* const* rows) : rows_(rows) {}
  /// Counted with the second subscript.
  CountedArray<T, Category::kSubscript2d> operator[](const auto& index) const {
    return CountedArray<T, Category::kSubscript2d>(rows_[subscript(index)]);
  }

 private:
  Counted<T>* const* rows_;
};

/// First operand of every `&&` chain: one short-circuit operator.
struct CountedShortCircuit {
  explicit operator bool() const {
    tally(Category::kShortCircuit);
    return true;
  }
};

struct Counting {
  template <class T>
  using Value = Counted<T>;
  template <class T>
  using Pointer = CountedPointer<T>;
  template <class T>
  using LoopPointer = CountedLoopPointer<T>;
  template <class T>
  using Array = CountedArray<T, Category::kSubscript1d>;
  template <class T>
  using Rows = CountedRows<T>;
  using Index = Counted<std::int64_t>;
  using LoopIndex = CountedLoopIndex;
  static constexpr CountedShortCircuit kShortCircuit{};
};

template <class T>
[[nodiscard]] constexpr T uncounted(const Counted<T>& value) {
  return value.uncounted();
}

}  // namespace bops::workloads

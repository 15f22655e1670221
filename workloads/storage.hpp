// The data of a kernel, in the language's own values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "workloads/kernel.hpp"
#include "workloads/language.hpp"

namespace bops::workloads {

/// `size` values, behind `guard` more: partition loops step before the first value, Shell sort up
/// to a gap before it.
template <class L, class T>
class Storage {
 public:
  explicit Storage(std::int64_t size, std::int64_t guard = 1)
      : guard_(guard), values_(static_cast<std::size_t>(guard + size)) {}
  explicit Storage(const std::vector<T>& values, std::int64_t guard = 1)
      : Storage(static_cast<std::int64_t>(values.size()), guard) {
    assign(values);
  }

  void assign(const std::vector<T>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) data()[i] = values[i];
  }
  void fill(T value) {
    for (std::size_t i = 0; i < size(); ++i) data()[i] = value;
  }
  [[nodiscard]] std::size_t size() const {
    return values_.size() - static_cast<std::size_t>(guard_);
  }
  [[nodiscard]] T at(std::size_t i) const {
    return uncounted(values_[static_cast<std::size_t>(guard_) + i]);
  }

  [[nodiscard]] Value<L, T>* data() { return values_.data() + guard_; }
  [[nodiscard]] Pointer<L, T> pointer() { return Pointer<L, T>(data()); }
  [[nodiscard]] Pointer<L, T> end() { return Pointer<L, T>(data() + size()); }
  [[nodiscard]] Array<L, T> array() { return Array<L, T>(data()); }
  [[nodiscard]] ResultMemory memory() {
    static_assert(sizeof(Value<L, T>) == sizeof(T));
    return {reinterpret_cast<std::byte*>(data()), size(), sizeof(T)};
  }

 private:
  std::int64_t guard_;
  std::vector<Value<L, T>> values_;
};

}  // namespace bops::workloads

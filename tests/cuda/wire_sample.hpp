// Files as the library inside the target writes them, put together by hand.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "collectors/cuda/metric_sets.hpp"
#include "collectors/cuda/wire.hpp"

namespace bops::cuda::wire_sample {

class Sample {
 public:
  Sample() : bytes_(wire::kMagic.data(), wire::kMagic.size()) {}

  Sample& process(std::int32_t pid, std::int32_t ppid, const std::string& executable) {
    begin(wire::RecordType::kProcess);
    put(pid).put(ppid).put(std::uint64_t{12345}).text(executable);
    return finish();
  }
  Sample& context(std::uint32_t id, const std::string& chip, Mode mode) {
    const auto names = metric_names(sets_of(*family_of(chip), mode));
    metrics_ = names.size();
    begin(wire::RecordType::kContext);
    put(id).put(std::uint32_t{0}).text("A GPU").text(chip).text("GPU-0");
    put(std::uint64_t{1}).put(static_cast<std::uint32_t>(names.size()));
    for (const std::string& name : names) text(name);
    return finish();
  }
  Sample& counts(std::uint32_t context, std::uint64_t launches, const std::string& kernel,
                 const std::vector<double>& values, std::uint32_t graph = 0) {
    begin(wire::RecordType::kCounts);
    put(context).put(launches);
    for (std::uint32_t size = 1; size <= 6; ++size) put(size);
    text(kernel).text("").put(graph).put(static_cast<std::uint32_t>(values.size()));
    for (const double value : values) put(value);
    return finish();
  }
  Sample& graph(std::uint32_t id, const GpuAmounts& kernels) {
    begin(wire::RecordType::kGraph);
    put(id).put(static_cast<std::uint32_t>(kernels.size()));
    for (const auto& [kernel, times] : kernels) text(kernel).put(times);
    return finish();
  }
  Sample& launches(std::uint32_t context, std::uint64_t launches, std::uint64_t dropped) {
    begin(wire::RecordType::kLaunches);
    put(context).put(launches).put(dropped);
    return finish();
  }
  Sample& end() {
    begin(wire::RecordType::kEnd);
    return finish();
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t metrics() const { return metrics_; }

 private:
  void begin(wire::RecordType type) {
    put(static_cast<std::uint32_t>(type));
    size_at_ = bytes_.size();
    put(std::uint32_t{0});
  }
  Sample& finish() {
    const auto size = static_cast<std::uint32_t>(bytes_.size() - size_at_ - sizeof(std::uint32_t));
    std::memcpy(bytes_.data() + size_at_, &size, sizeof size);
    return *this;
  }
  template <class Number>
  Sample& put(Number value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Sample& text(const std::string& value) {
    put(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    return *this;
  }

  std::string bytes_;
  std::size_t size_at_ = 0;
  std::size_t metrics_ = 0;
};

}  // namespace bops::cuda::wire_sample

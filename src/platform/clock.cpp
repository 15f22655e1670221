#include "platform/clock.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace bops {

std::uint64_t mono_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::string rfc3339_utc(std::chrono::system_clock::time_point now) {
  using std::chrono::floor, std::chrono::nanoseconds, std::chrono::seconds;
  // Rounded down, so that times before 1970 have a fraction of their own second as well.
  const auto whole = floor<seconds>(now);
  const auto fraction = std::chrono::duration_cast<nanoseconds>(now - whole);
  const std::time_t since_epoch = std::chrono::system_clock::to_time_t(whole);
  std::tm fields{};
  ::gmtime_r(&since_epoch, &fields);
  std::array<char, 32> date{};
  const std::size_t length = std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &fields);
  std::array<char, 16> decimals{};
  std::snprintf(decimals.data(), decimals.size(), ".%09dZ", static_cast<int>(fraction.count()));
  return std::string(date.data(), length) + decimals.data();
}

}  // namespace bops

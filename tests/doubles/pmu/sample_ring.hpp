// The ring in which an event leaves its samples: memory of the double's, in the kernel's place.
#pragma once

#include <linux/perf_event.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace bops::pmu_double {

/// As perf_event_open(2) has it, "MMAP layout": a control page and a ring of records. Behind it is
/// the kernel's own ring of the event, which tells of mappings and names; its records are put into
/// this one in their turn.
class SampleRing {
 public:
  using Record = std::vector<char>;

  /// mmap(2) of the event `fd`. Null, and negative errno in `error`, where the kernel refuses.
  static std::unique_ptr<SampleRing> map(int fd, std::size_t bytes, long& error);
  SampleRing(const SampleRing&) = delete;
  SampleRing& operator=(const SampleRing&) = delete;
  ~SampleRing();

  [[nodiscard]] void* memory() const { return memory_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Takes over what the kernel has told since, for the event `id`; `see` is shown each record.
  /// Gives how many of them found no room.
  std::uint64_t relay(std::uint64_t id, const std::function<void(const Record&)>& see);
  /// False where there is no room: the next record that finds some comes after one that tells how
  /// many were lost (PERF_RECORD_LOST). `id` is the event's.
  [[nodiscard]] bool put(std::uint64_t id, const Record& record);
  /// A record that found no room, whatever there is.
  void lose() { ++lost_; }

 private:
  SampleRing(void* memory, void* kernel, std::size_t bytes);
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  void write(const Record& record);

  void* memory_;
  void* kernel_;
  std::size_t bytes_;
  std::uint64_t head_ = 0;
  std::uint64_t lost_ = 0;  ///< not told yet
};

/// The bytes of a record: its header, with the size that it has then, and the words after it.
[[nodiscard]] SampleRing::Record make_record(std::uint32_t type, std::uint16_t misc,
                                             const std::vector<std::uint64_t>& words);

}  // namespace bops::pmu_double

/// Mutual exclusion between the guest's threads while they are in the engine. A signal that arrives
/// in the engine is put off, so a thread never waits for itself.
#ifndef BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_LOCK_HPP
#define BOPS_COLLECTORS_EXACT_NATIVE_ENGINE_LOCK_HPP

#include <cstdint>

#include "collectors/exact/native/engine/system_call.hpp"

namespace bops::native {

/// A futex: 0 free, 1 held, 2 held and waited for.
class Lock {
 public:
  void acquire() {
    std::uint32_t expected = 0;
    if (__atomic_compare_exchange_n(&state_, &expected, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
      return;
    while (__atomic_exchange_n(&state_, 2, __ATOMIC_ACQUIRE) != 0)
      kernel_call(kFutex, word(&state_), kWaitPrivate, 2, 0);
  }
  void release() {
    if (__atomic_exchange_n(&state_, 0, __ATOMIC_RELEASE) == 2)
      kernel_call(kFutex, word(&state_), kWakePrivate, 1);
  }
  /// In the child of a fork, whose only thread holds nothing.
  void reset() { state_ = 0; }

 private:
  static constexpr int kFutex = 202, kWaitPrivate = 128, kWakePrivate = 129;
  std::uint32_t state_ = 0;
};

class Guard {
 public:
  explicit Guard(Lock& lock) : lock_(lock) { lock_.acquire(); }
  ~Guard() { lock_.release(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  Lock& lock_;
};

}  // namespace bops::native

#endif

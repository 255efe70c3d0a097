#pragma once

#include <memory>

#include "base/task.hpp"
#include "base/time.hpp"

namespace shop {

// A wait that somebody else can end. One waiter at a time.
class Alarm {
 public:
  virtual ~Alarm() = default;
  virtual Task<> wait_until(Monotonic at) = 0;  // returns at `at`, or earlier when woken; at once if woken before
  virtual void wake() = 0;                      // from any thread
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant wall() const = 0;
  virtual Monotonic now() const = 0;
  virtual std::unique_ptr<Alarm> alarm() = 0;  // belongs to the executor of its first waiter
  virtual Task<> sleep(milliseconds duration) = 0;
};

}  // namespace shop

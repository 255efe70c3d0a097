// The real clock and the kernel's randomness.
#pragma once

#include <memory>

#include "ports/clock.hpp"
#include "ports/random.hpp"

namespace shop {

class SystemClock final : public Clock {
 public:
  Instant wall() const override;
  Monotonic now() const override;
  std::unique_ptr<Alarm> alarm() override;
  Task<> sleep(milliseconds duration) override;
};

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace shop

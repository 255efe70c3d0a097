#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "base/id.hpp"
#include "base/time.hpp"

namespace shop {

// Unpredictable bytes in production, a seeded sequence in a simulation.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  std::uint64_t number();
  std::uint64_t below(std::uint64_t bound);  // bound > 0
  std::string token();                       // 256 bits, 64 hexadecimal digits
  Uuid uuid4();
  Uuid uuid7(Instant now);  // RFC 9562 5.7 and 6.2, method 1: ids made later by one process sort later, within a millisecond too

  template <class Id>
  Id id(Instant now) {
    return Id{uuid7(now)};
  }

 private:
  std::atomic<std::uint64_t> last_stamp_{0};  // milliseconds and 12 bits that count within one
};

}  // namespace shop

// At most so many of something for one subject within a window that begins with the first of them.
#pragma once

#include <string>

#include "ports/key_value.hpp"

namespace shop {

struct Limit {
  std::string name;  // "registrations"
  std::int64_t most = 60;
  seconds window{60};
};

class RateLimiter {
 public:
  explicit RateLimiter(KeyValueStore& store) : store_(store) {}

  // Counts one. rate_limited, with when to come back, beyond the limit. When the store is away everything passes: a limit
  // protects the shop, it must not close it.
  Task<Result<void>> count(const Context& context, const Limit& limit, std::string_view subject);

  // Whether the limit is reached, without counting.
  Task<Result<void>> check(const Context& context, const Limit& limit, std::string_view subject);

 private:
  KeyValueStore& store_;
};

}  // namespace shop

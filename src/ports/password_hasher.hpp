#pragma once

#include <string>

#include "base/context.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace shop {

// Slow by design, so behind a bounded pool: unavailable when its queue is full.
class PasswordHasher {
 public:
  virtual ~PasswordHasher() = default;

  virtual Task<Result<std::string>> hash(const Context& context, std::string password) = 0;

  // Whether it is the password of `hash`. A hash that nobody made costs as much time as a real one and is never right.
  virtual Task<Result<bool>> verify(const Context& context, std::string password, std::string hash) = 0;

  virtual bool outdated(const std::string& hash) const = 0;  // made with an older algorithm or cost
};

}  // namespace shop

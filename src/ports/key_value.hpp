// Small values under keys, with an expiry: carts, caches, limits.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace shop {

class KeyValueStore {
 public:
  struct Change {
    std::string key;
    std::optional<std::string> expected;  // nothing: the key must not exist
    std::optional<std::string> value;     // nothing: delete it
    seconds ttl{0};                       // > 0
  };

  virtual ~KeyValueStore() = default;

  // The value of each key. With `refresh` > 0, what is found lives that long from now.
  virtual Task<Result<std::vector<std::optional<std::string>>>> get(const Context& context,
                                                                    std::vector<std::string> keys,
                                                                    seconds refresh = seconds(0)) = 0;

  // All changes or none; false when some key no longer holds what was expected.
  virtual Task<Result<bool>> swap(const Context& context, std::vector<Change> changes) = 0;

  // Adds one; the count starts at 1 and is forgotten `ttl` after its first increment.
  virtual Task<Result<std::int64_t>> increment(const Context& context, std::string key, seconds ttl) = 0;

  virtual Task<Result<void>> ping(const Context& context) = 0;
};

}  // namespace shop

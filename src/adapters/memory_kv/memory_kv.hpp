// Keys in this process's memory: caches and limits of a shop in one process. Bounded; lost with the process.
#pragma once

#include <mutex>
#include <unordered_map>

#include "ports/clock.hpp"
#include "ports/key_value.hpp"

namespace shop {

class MemoryKeyValue final : public KeyValueStore {
 public:
  // Beyond `max_keys` the expired are dropped, and if that is not enough, every write is refused as unavailable.
  MemoryKeyValue(Clock& clock, std::size_t max_keys = 200'000) : clock_(clock), max_keys_(max_keys) {}

  Task<Result<std::vector<std::optional<std::string>>>> get(const Context& context, std::vector<std::string> keys,
                                                            seconds refresh) override;
  Task<Result<bool>> swap(const Context& context, std::vector<Change> changes) override;
  Task<Result<std::int64_t>> increment(const Context& context, std::string key, seconds ttl) override;
  Task<Result<void>> ping(const Context& context) override;

 private:
  struct Entry {
    std::string value;
    Monotonic expires;
  };
  Entry* live(const std::string& key);
  bool make_room();

  Clock& clock_;
  const std::size_t max_keys_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace shop

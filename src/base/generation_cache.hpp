// A bounded cache: two generations of at most `capacity / 2` entries. When the young one is full, the old one is dropped
// whole; what is asked for again moves to the young one. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>

namespace shop {

template <class K, class V>
class GenerationCache {
 public:
  explicit GenerationCache(std::size_t capacity) : half_(capacity / 2) {}

  std::optional<V> get(const K& key) {
    const std::lock_guard lock(mutex_);
    if (auto it = young_.find(key); it != young_.end()) return it->second;
    auto it = old_.find(key);
    if (it == old_.end()) return std::nullopt;
    V value = it->second;
    old_.erase(it);
    insert(key, value);
    return value;
  }

  void put(const K& key, V value) {
    const std::lock_guard lock(mutex_);
    old_.erase(key);
    insert(key, std::move(value));
  }

  void erase(const K& key) {
    const std::lock_guard lock(mutex_);
    young_.erase(key);
    old_.erase(key);
  }

  template <class Predicate>
  void erase_if(Predicate predicate) {
    const std::lock_guard lock(mutex_);
    std::erase_if(young_, [&](const auto& entry) { return predicate(entry.second); });
    std::erase_if(old_, [&](const auto& entry) { return predicate(entry.second); });
  }

  void clear() {
    const std::lock_guard lock(mutex_);
    young_.clear();
    old_.clear();
  }

 private:
  void insert(const K& key, V value) {
    if (young_.size() >= half_) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_.insert_or_assign(key, std::move(value));
  }

  const std::size_t half_;
  std::mutex mutex_;
  std::unordered_map<K, V> young_, old_;
};

}  // namespace shop

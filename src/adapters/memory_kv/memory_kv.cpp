#include "adapters/memory_kv/memory_kv.hpp"

namespace shop {
namespace {

Failure full() { return fail(Code::unavailable, "The key-value store is full.", "BUSY"); }

}  // namespace

MemoryKeyValue::Entry* MemoryKeyValue::live(const std::string& key) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return nullptr;
  if (it->second.expires > clock_.now()) return &it->second;
  entries_.erase(it);
  return nullptr;
}

bool MemoryKeyValue::make_room() {
  if (entries_.size() < max_keys_) return true;
  std::erase_if(entries_, [now = clock_.now()](const auto& entry) { return entry.second.expires <= now; });
  return entries_.size() < max_keys_;
}

Task<Result<std::vector<std::optional<std::string>>>> MemoryKeyValue::get(const Context&, std::vector<std::string> keys,
                                                                          seconds refresh) {
  const std::lock_guard lock(mutex_);
  std::vector<std::optional<std::string>> values;
  for (const auto& key : keys) {
    auto* entry = live(key);
    if (entry && refresh > seconds(0)) entry->expires = clock_.now() + refresh;
    values.push_back(entry ? std::optional(entry->value) : std::nullopt);
  }
  co_return values;
}

Task<Result<bool>> MemoryKeyValue::swap(const Context&, std::vector<Change> changes) {
  const std::lock_guard lock(mutex_);
  for (const auto& change : changes) {
    const auto* entry = live(change.key);
    if (change.expected ? !entry || entry->value != *change.expected : entry != nullptr) co_return false;
  }
  if (!make_room()) co_return full();
  for (auto& change : changes) {
    if (change.value) entries_[change.key] = {std::move(*change.value), clock_.now() + change.ttl};
    else entries_.erase(change.key);
  }
  co_return true;
}

Task<Result<std::int64_t>> MemoryKeyValue::increment(const Context&, std::string key, seconds ttl) {
  const std::lock_guard lock(mutex_);
  if (auto* entry = live(key)) {
    const auto count = std::stoll(entry->value) + 1;
    entry->value = std::to_string(count);
    co_return count;
  }
  if (!make_room()) co_return full();
  entries_[key] = {"1", clock_.now() + ttl};
  co_return std::int64_t{1};
}

Task<Result<void>> MemoryKeyValue::ping(const Context&) { co_return Result<void>(); }

}  // namespace shop

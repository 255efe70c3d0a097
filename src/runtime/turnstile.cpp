#include "runtime/turnstile.hpp"

namespace shop {

Task<Result<Turnstile::Turn>> Turnstile::enter(const Context& context, std::string key) {
  const bool entered = enter_at_once(key) || co_await await_callback<bool>([&](Callback<bool> done) { wait_for(key, std::move(done)); });
  if (!entered) co_return fail(busy("Too many requests wait for this."));
  Turn turn(*this, std::move(key));
  if (clock_.now() >= context.deadline) co_return fail(Code::timed_out, "There was no time left for the request.");
  co_return turn;
}

bool Turnstile::enter_at_once(const std::string& key) {
  const std::lock_guard lock(mutex_);
  return held_.try_emplace(key).second;
}

void Turnstile::wait_for(const std::string& key, Callback<bool> entered) {
  bool at_once = true;
  {
    const std::lock_guard lock(mutex_);
    const auto [it, free] = held_.try_emplace(key);
    if (!free && it->second.size() < waiting_max_) return it->second.push_back(std::move(entered));
    at_once = free;
  }
  entered(at_once);
}

void Turnstile::leave(const std::string& key) {
  Callback<bool> next;
  {
    const std::lock_guard lock(mutex_);
    const auto it = held_.find(key);
    if (it == held_.end()) return;
    if (it->second.empty()) {
      held_.erase(it);
      return;
    }
    next = std::move(it->second.front());
    it->second.pop_front();
  }
  next(true);
}

void Turnstile::abandon() {
  std::unordered_map<std::string, Waiting> forgotten;  // ends outside the lock
  const std::lock_guard lock(mutex_);
  forgotten.swap(held_);
}

std::size_t Turnstile::keys() const {
  const std::lock_guard lock(mutex_);
  return held_.size();
}

}  // namespace shop

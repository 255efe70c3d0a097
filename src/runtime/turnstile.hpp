// One at a time for each key, in the order of arrival: work that would otherwise compete with itself inside this process, as
// changes of one cart do. Between processes it does nothing; there the store's own compare-and-swap decides.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/await_callback.hpp"
#include "base/context.hpp"
#include "base/result.hpp"
#include "ports/clock.hpp"

namespace shop {

class Turnstile {
 public:
  // The key is this holder's until the end of its life. Not a lock: nobody's thread waits.
  class Turn {
   public:
    Turn(Turnstile& owner, std::string key) : owner_(&owner), key_(std::move(key)) {}
    Turn(Turn&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), key_(std::move(other.key_)) {}
    ~Turn() {
      if (owner_) owner_->leave(key_);
    }

   private:
    Turnstile* owner_;
    std::string key_;
  };

  // One more than `waiting_max` for one key is refused as unavailable.
  explicit Turnstile(Clock& clock, std::size_t waiting_max = 1000) : clock_(clock), waiting_max_(waiting_max) {}

  // timed_out when the turn came after the deadline.
  Task<Result<Turn>> enter(const Context& context, std::string key);

  std::size_t keys() const;  // that somebody holds

  // Forgets whoever waits. Before the loops end to which the waiting belong, after their threads have.
  void abandon();

 private:
  using Waiting = std::deque<Callback<bool>>;

  bool enter_at_once(const std::string& key);
  void wait_for(const std::string& key, Callback<bool> entered);
  void leave(const std::string& key);

  Clock& clock_;
  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Waiting> held_;
};

}  // namespace shop

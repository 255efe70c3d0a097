#include "runtime/balancer.hpp"

#include <algorithm>

namespace shop {
namespace {

constexpr milliseconds first_ejection{500}, longest_ejection{8000};

}  // namespace

std::optional<Instance> Balancer::choose(std::string_view service, const std::string& not_this) {
  const auto instances = directory_.instances(service);
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  std::vector<const Instance*> candidates;
  std::uint64_t weights = 0;
  const auto collect = [&](bool left_out) {
    for (const auto& instance : *instances) {
      if (instance.weight == 0 || instance.id == not_this || (states_[instance.id].out_until > now) != left_out) continue;
      candidates.push_back(&instance);
      weights += instance.weight;
    }
  };
  collect(false);
  if (candidates.empty()) collect(true);
  if (candidates.empty()) return std::nullopt;
  const auto draw = [&] {
    auto at = random_.below(weights);
    for (const auto* candidate : candidates) {
      if (at < candidate->weight) return candidate;
      at -= candidate->weight;
    }
    return candidates.back();
  };
  const auto under_way = [&](const Instance* instance) { return states_[instance->id].under_way; };
  const Instance* chosen = draw();
  if (candidates.size() > 1) {
    // Only when the other would then be no busier, for its weight, than this one is now: else one with a small weight, which is mostly
    // idle, would get twice its share.
    const Instance* other = draw();
    if ((under_way(other) + 1) * chosen->weight <= under_way(chosen) * other->weight) chosen = other;
  }
  ++states_[chosen->id].under_way;
  return *chosen;
}

void Balancer::release(const Instance& instance) {
  const std::lock_guard lock(mutex_);
  auto& state = states_[instance.id];
  state.under_way = std::max<std::int64_t>(0, state.under_way - 1);
}

void Balancer::refused(const Instance& instance) {
  const std::lock_guard lock(mutex_);
  auto& state = states_[instance.id];
  state.under_way = std::max<std::int64_t>(0, state.under_way - 1);
  const auto now = clock_.now();
  if (state.out_until > now) return;  // of many under way at once, all are refused
  state.out_until = now + std::min(longest_ejection, first_ejection * (1 << std::min(state.refusals, 6)));
  ++state.refusals;
}

void Balancer::answered(const Instance& instance) {
  const std::lock_guard lock(mutex_);
  auto& state = states_[instance.id];
  state.refusals = 0;
  state.out_until = {};
}

std::size_t Balancer::ejected() const {
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(states_, [&](const auto& each) { return each.second.out_until > now; }));
}

}  // namespace shop

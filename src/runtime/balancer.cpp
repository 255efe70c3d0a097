#include "runtime/balancer.hpp"

#include <algorithm>

namespace shop {
namespace {

constexpr milliseconds first_ejection{500}, longest_ejection{8000};
constexpr milliseconds probe_pause{100};  // between tries of an instance that is left out, when there is no other

}  // namespace

std::optional<Instance> Balancer::choose(std::string_view service, const std::string& not_this) {
  const auto instances = directory_.instances(service);
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  std::vector<const Instance*> candidates;
  std::uint64_t weights = 0;
  for (const auto& instance : *instances) {
    if (instance.weight == 0 || instance.id == not_this || states_[instance.id].out_until > now) continue;
    candidates.push_back(&instance);
    weights += instance.weight;
  }
  for (const auto& instance : *instances) {
    if (!candidates.empty() || instance.weight == 0 || instance.id == not_this) continue;
    auto& state = states_[instance.id];
    if (state.probe_after > now) continue;
    state.probe_after = now + probe_pause;
    candidates.push_back(&instance);
    weights += instance.weight;
  }
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
  state.probe_after = clock_.now() + probe_pause;
  state.out_until = clock_.now() + std::min(longest_ejection, first_ejection * (1 << std::min(state.refusals, 6)));
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

#include "adapters/simulated/network.hpp"

namespace shop::simulated {
namespace {

constexpr milliseconds unlimited_wait{30'000};  // of a caller without a deadline

Error refused() { return {Code::unavailable, "The host cannot be reached.", {}, {}, {}, seconds(1)}; }
Error broken() { return {Code::unknown_outcome, "The connection broke before the answer was complete.", {}, {}, {}, {}}; }
Error too_late() { return {Code::timed_out, "The answer did not come in time.", {}, {}, {}, {}}; }

}  // namespace

milliseconds Network::delay() {
  if (clear()) return milliseconds(1);
  const bool slow = simulation_.dice().chance(weather.slow);
  if (slow) simulation_.struck("network slow");
  return simulation_.dice().between(milliseconds(0), slow ? weather.slow_most : weather.usual_most);
}

void Network::begin(std::shared_ptr<AnyCall> call) {
  auto& dice = simulation_.dice();
  const auto id = ++last_;
  const auto to = call->to;
  const auto latest = std::min(call->context.deadline, simulation_.now() + unlimited_wait);
  calls_.emplace(id, call);
  const bool fair = clear();
  const auto strikes = [&](unsigned per_mille, std::string_view kind) {
    if (fair || !dice.chance(per_mille)) return false;
    simulation_.struck(kind);
    return true;
  };
  if (!simulation_.up(to) || strikes(weather.refused, "connection refused")) return fail_later(id, milliseconds(1), refused());
  simulation_.at(latest, nobody, [this, id] {
    if (auto late = take(id)) late->fail_with(too_late());
  });
  if (strikes(weather.request_lost, "request lost")) return;
  call->answer_lost = strikes(weather.answer_lost, "answer lost");
  const auto arrives = delay();
  simulation_.after(arrives, nobody, [this, id] { deliver(id); });
  if (strikes(weather.reset, "connection reset")) fail_later(id, arrives + delay(), broken());
  if (call->repeatable && strikes(weather.twice, "request twice")) {
    // The second copy comes when it comes, whether or not somebody still waits for the first.
    simulation_.after(arrives + delay() + delay(), nobody, [this, call, incarnation = simulation_.incarnation(to)] {
      if (simulation_.up(call->to) && simulation_.incarnation(call->to) == incarnation) call->run(*this, 0, false, call);
    });
  }
}

void Network::deliver(std::uint64_t id) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return;
  const auto call = it->second;
  if (!simulation_.up(call->to)) return fail_later(id, milliseconds(1), broken());
  call->run(*this, id, true, call);
}

void Network::fail_later(std::uint64_t id, milliseconds wait, Error error) {
  simulation_.after(wait, nobody, [this, id, error = std::move(error)]() mutable {
    if (auto call = take(id)) call->fail_with(std::move(error));
  });
}

std::shared_ptr<Network::AnyCall> Network::take(std::uint64_t id) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return nullptr;
  auto call = std::move(it->second);
  calls_.erase(it);
  return call;
}

void Network::forget(HostId host) {
  std::vector<std::shared_ptr<AnyCall>> forgotten;  // destroyed outside the map
  for (auto it = calls_.begin(); it != calls_.end();) {
    if (it->second->from == host) {
      forgotten.push_back(std::move(it->second));
      it = calls_.erase(it);
    } else {
      if (it->second->to == host) fail_later(it->first, milliseconds(1), broken());
      ++it;
    }
  }
  for (const auto& call : forgotten) call->drop();
}

}  // namespace shop::simulated

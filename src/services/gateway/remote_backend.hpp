// A service in other processes: an instance is chosen, the exchange streamed through.
#pragma once

#include "net/proxy.hpp"
#include "runtime/http_caller.hpp"
#include "services/gateway/gateway.hpp"

namespace shop::gateway {

class RemoteBackend final : public Backend {
 public:
  RemoteBackend(std::string service, CallerIdentity identity, Balancer& balancer, net::ClientPool& pool, Clock& clock, Random& random)
      : service_(std::move(service)), identity_(std::move(identity)), balancer_(balancer), pool_(pool), clock_(clock), random_(random) {}

  // 503 when no healthy instance is known, 504 after the deadline, 502 for a broken answer. A connection that could not be
  // made is tried once more on another instance, and so is a reading request whose instance died before it answered. What a full
  // row of the service has refused is refused here for a moment: there it costs several times as much.
  Task<> forward(const Context& context, net::Exchange& exchange, net::Answered& answered) override;
  bool exists() const override { return balancer_.knows(service_); }

 private:
  // Until when changes of the same target are not passed on. Different ones may share a place, and so a moment.
  using Place = std::atomic<Monotonic::rep>;
  Place& place_of(const Request& request) { return crowded_until_[std::hash<std::string_view>()(request.target) % crowded_until_.size()]; }

  const std::string service_;
  const CallerIdentity identity_;
  Balancer& balancer_;
  net::ClientPool& pool_;
  Clock& clock_;
  Random& random_;
  std::array<Place, 1024> crowded_until_{};
};

}  // namespace shop::gateway

// Calls between services of one process: straight into the other's router, no socket.
#pragma once

#include <map>
#include <string>

#include "net/router.hpp"
#include "observe/metrics.hpp"
#include "ports/service_caller.hpp"
#include "runtime/edge.hpp"

namespace shop {

class LocalNetwork {
 public:
  explicit LocalNetwork(Metrics& metrics) : metrics_(metrics) {}

  void add(net::Router& router) { routers_[router.service()] = &router; }
  net::Router* find(std::string_view service) const;
  Metrics& metrics() const { return metrics_; }

 private:
  Metrics& metrics_;
  std::map<std::string, net::Router*, std::less<>> routers_;
};

// "/auth-service/internal/accounts": every route of every service, for whoever is let in. Behind the control socket.
class ControlApplication final : public Application {
 public:
  explicit ControlApplication(const LocalNetwork& network) : network_(network) {}

  Task<> handle(const Context& context, const net::Arrival& arrival, net::Exchange& exchange, net::Answered& answered) override;

 private:
  const LocalNetwork& network_;
};

class LocalCaller final : public ServiceCaller {
 public:
  // `self` is the identity that the callee sees.
  LocalCaller(const LocalNetwork& network, std::string self, bool operator_tool = false)
      : network_(network), arrival_{std::move(self), operator_tool} {}

  Task<Result<Response>> call(const Context& context, std::string_view service, Request request) override;

 private:
  const LocalNetwork& network_;
  const net::Arrival arrival_;
};

}  // namespace shop

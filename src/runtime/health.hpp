// GET /health, /health/live, /health/ready of every service (contract, section 15).
#pragma once

#include <atomic>
#include <functional>

#include "net/route.hpp"
#include "ports/clock.hpp"

namespace shop {

struct HealthReport {
  std::string status = "UP";
  std::string service;
  std::map<std::string, std::string> dependencies;
};

class Health {
 public:
  using Probe = std::function<Task<Result<void>>(const Context&)>;

  Health(std::string service, Clock& clock) : service_(std::move(service)), clock_(clock) {}

  void depends_on(std::string name, Probe probe) { probes_.emplace_back(std::move(name), std::move(probe)); }
  void set_ready(bool ready) { ready_ = ready; }
  bool ready() const { return ready_; }
  Task<bool> well(const Context& context);  // what /health says

  Task<Result<HealthReport>> health(net::Call& call);  // 503 with the failing dependency
  Task<Result<HealthReport>> live(net::Call& call);    // the process answers
  Task<Result<HealthReport>> ready(net::Call& call);   // not while starting or draining

  static const net::RouteTable<Health>& routes();

 private:
  const std::string service_;
  Clock& clock_;
  std::vector<std::pair<std::string, Probe>> probes_;
  std::atomic<bool> ready_{true};
};

}  // namespace shop

template <>
struct shop::codec::JsonForm<shop::HealthReport> {
  static void write(std::string& out, const HealthReport& report);
  static json::object schema();
};

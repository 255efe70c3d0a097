// GET /health, /health/live, /health/ready of every service (contract, section 15).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

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

  // Without it the service is DOWN.
  void depends_on(std::string name, Probe probe) { add(std::move(name), std::move(probe), true); }
  // Reported as well, but the service does its work without it for a while. Asked once a second at most; DOWN after three failures in a
  // row, as it may only be slow.
  void uses(std::string name, Probe probe) { add(std::move(name), std::move(probe), false); }

  void set_ready(bool ready) { ready_ = ready; }
  bool ready() const { return ready_; }
  Task<bool> well(const Context& context);  // what /health says; asks everything, and the log hears of what has changed

  Task<Result<HealthReport>> health(net::Call& call);  // 503 with the failing dependency
  Task<Result<HealthReport>> live(net::Call& call);    // the process answers
  Task<Result<HealthReport>> ready(net::Call& call);   // not while starting or draining

  static const net::RouteTable<Health>& routes();

 private:
  struct Dependency {
    std::string name;
    Probe probe;
    bool needed;
    std::atomic<bool> up{true};
    std::atomic<Monotonic> asked{Monotonic::min()};
    std::atomic<int> failures{0};
  };

  void add(std::string name, Probe probe, bool needed);
  Task<bool> is_up(const Context& context, Dependency& dependency);

  const std::string service_;
  Clock& clock_;
  std::vector<std::unique_ptr<Dependency>> dependencies_;
  std::atomic<bool> ready_{true};
};

}  // namespace shop

template <>
struct shop::codec::JsonForm<shop::HealthReport> {
  static void write(std::string& out, const HealthReport& report);
  static json::object schema();
};

// Discovery through a Consul agent (HTTP API v1): registration as the contract says (section 15), look-ups from a local view
// that blocking queries keep. While Consul is away the last view stays.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "adapters/consul/weights.hpp"
#include "net/client.hpp"
#include "ports/clock.hpp"
#include "ports/service_directory.hpp"

namespace shop {

struct ConsulOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8500;
  std::vector<std::string> watch;  // services to know

  // This process, as others shall find it.
  std::string service, instance, address, environment, version;
  std::uint16_t service_port = 0;
  std::uint16_t health_port = 0;  // where the agent asks for /health; 0: at the same
};

class ConsulDirectory final : public ServiceDirectory {
 public:
  // A piece of background work: looks once (blocking queries wait at the agent), true when it wants to look again at once.
  struct Work {
    std::string name;
    std::function<Task<Result<bool>>(const Context&)> step;
  };

  ConsulDirectory(ConsulOptions options, net::ClientPool& pool, Clock& clock);

  Instances instances(std::string_view service) const override;
  Task<Result<void>> announce(const Context& context) override;
  Task<Result<void>> withdraw(const Context& context) override;
  Task<Result<void>> ping(const Context& context);

  // Removes what a process of this name left when it crashed: this one is not ready yet. True when there was something.
  Task<Result<bool>> deregister(const Context& context);

  // One watch a service, and one for the weights.
  std::vector<Work> background();

  // To be called every second or so: an agent that was restarted has forgotten this process, and one that found it sick looks
  // again after 10 s only. It is registered anew when `well` says that it can work. True: it cannot yet, and is to be looked at again at once.
  using Well = std::function<Task<bool>(const Context&)>;
  Task<Result<bool>> stay_registered(const Context& context, Well well);

 private:
  struct Watched {
    std::string index = "0";
    Instances view = std::make_shared<const std::vector<Instance>>();
    bool asked = false;   // and not answered: still so at the next question when it failed
    Monotonic failed{};
  };

  Task<Result<bool>> look(const Context& context, std::string service);
  Task<Result<bool>> look_at_weights(const Context& context);
  Task<Result<Response>> ask(const Context& context, Method method, std::string target, std::string body = {});
  std::uint32_t weight_of(std::string_view service, const Instance& instance) const;

  const ConsulOptions options_;
  net::ClientPool& pool_;
  Clock& clock_;
  const net::Endpoint agent_;
  std::atomic<bool> withdrawn_{false};  // for good: the process is about to end
  mutable std::mutex mutex_;
  std::map<std::string, Watched, std::less<>> watched_;
  Weights weights_;
  std::string weights_index_ = "0";
};

// Fixed addresses: <NAME>_SERVICE_URL.
class StaticDirectory final : public ServiceDirectory {
 public:
  void add(const std::string& service, Instance instance);

  Instances instances(std::string_view service) const override;
  Task<Result<void>> announce(const Context&) override;
  Task<Result<void>> withdraw(const Context&) override;

 private:
  std::map<std::string, Instances, std::less<>> services_;
};

// Fixed addresses where there are some, discovery for the rest.
class CombinedDirectory final : public ServiceDirectory {
 public:
  CombinedDirectory(const ServiceDirectory& fixed, ServiceDirectory& discovered) : fixed_(fixed), discovered_(discovered) {}

  Instances instances(std::string_view service) const override;
  Task<Result<void>> announce(const Context& context) override { return discovered_.announce(context); }
  Task<Result<void>> withdraw(const Context& context) override { return discovered_.withdraw(context); }

 private:
  const ServiceDirectory& fixed_;
  ServiceDirectory& discovered_;
};

}  // namespace shop
